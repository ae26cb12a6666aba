internal import TreadleBase
internal import TreadleConfiguration

extension Ranks {
    /// Throws, naming the rank, where one trains something else than the first: another program, job or data.
    func checkAlike(_ configuration: Configuration, data fingerprint: String, test: Dataset?) throws {
        guard !isAlone else { return }
        let metrics = configuration.metrics.map(\.rawValue).joined(separator: " ")
        let tested = try test.map { try Fingerprint.of($0, full: false) } ?? "none"
        let own = [Treadle.version, configuration.meaningText, metrics, fingerprint, tested]
        let all = try collect(own)
        let subjects = [
            "another version of treadle", "another configuration", "other metrics in its configuration", "other data",
            "other test data",
        ]
        for (rank, theirs) in all.enumerated() {
            guard let place = own.indices.first(where: { theirs[$0] != all[0][$0] }) else { continue }
            throw TreadleError(
                .tryAgain,
                "\(name(of: rank)) has \(subjects[place]) than \(name(of: 0)); put the same on every host and start again"
            )
        }
    }
}

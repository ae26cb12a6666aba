internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData

/// What the weights at a run's end are a function of. Runs with the same identity end with the same weights.
///
/// `Resumption` tells what to do where a run is to go on and something of this has changed.
struct RunIdentity: Equatable, Sendable {
    /// The data's fingerprint.
    let data: String
    /// A digest of the settings that have a say.
    let meaning: String
    /// The numerics contract.
    let numerics: Int

    init(data: String, meaning: String, numerics: Int) {
        self.data = data
        self.meaning = meaning
        self.numerics = numerics
    }

    /// Of a run with this configuration on these data, trained now.
    init(_ configuration: Configuration, data: String) {
        self.init(
            data: data, meaning: Fingerprint.digest(of: configuration.meaningText), numerics: Treadle.numerics)
    }

    /// Of the run that a checkpoint is from. Where several releases computed it, the numerics are the last one's.
    init(of origin: FileOrigin, at path: String) throws {
        let meaning = try origin.settings(at: path).meaningText
        self.init(
            data: origin.fingerprint, meaning: Fingerprint.digest(of: meaning),
            numerics: origin.numerics.last ?? Treadle.numerics)
    }

    /// Whether the same was to be learnt from the same data, by whatever release.
    func asksTheSame(as other: RunIdentity) -> Bool { data == other.data && meaning == other.meaning }
}

internal import HDF5
package import TreadleBase
package import TreadleConfiguration
internal import TreadleModel

/// Opens all data of a configuration in a process of its own, before this one relies on it.
///
/// A file that crashes libhdf5, or makes it run in circles, is an error then that names the file. All else that may be wrong
/// with the data is found, and told better, when it is opened in earnest.
package enum DataTrial {
    package static func run(_ configuration: Configuration, stop: Stop, helper: GuardedHelper) throws {
        let sources = sources(of: configuration.data).map { source in
            // Files that are not there are told later.
            (try? configuration.files(of: source)) ?? []
        }
        var files: [String] = []
        for file in sources.joined() where !files.contains(file) { files.append(file) }
        guard files.contains(where: { (try? H5File.isHDF5($0)) ?? true }) else { return }
        func open(only file: String?, _ subject: String) throws {
            let request = Work.Request(
                configuration: configuration.resolvedText, baseDirectory: configuration.baseDirectory, file: file)
            _ = try GuardedProcess.perform(
                Work.self, request, on: subject, limits: limits, stop: stop, helper: helper)
        }
        do {
            try open(only: nil, files.joined(separator: ", "))
        } catch let error as TreadleError where error.kind == .badData && files.count > 1 {
            // Opens each file alone, to name the one that is at fault.
            for file in files { try open(only: file, file) }
            throw error
        }
    }

    /// The whole trial may take long, as large data do. What must end soon is each call of libhdf5.
    private static let limits = GuardedProcess.Limits(memory: nil, seconds: 600, areCallsLimited: true)

    private static func sources(of data: DataConfiguration) -> [DataSource] {
        var sources = [data.train]
        if case .source(let source) = data.valid { sources.append(source) }
        if case .source(let source) = data.test { sources.append(source) }
        return sources
    }

    package enum Work: GuardedWork {
        package struct Request: Codable, Sendable {
            var configuration: String
            var baseDirectory: String
            /// The one file to open, or nil for all.
            var file: String?
        }
        /// The response is empty: it shows that the child survived opening the files.
        package struct Response: Codable, Sendable {}

        package static let name = "data-trial"

        package static func perform(_ request: Request) throws -> Response {
            let configuration = try Configuration.parse(
                text: request.configuration, file: "", baseDirectory: request.baseDirectory)
            let settings = DatasetSettings(
                configuration.data, baseDirectory: configuration.baseDirectory, workers: Workers(count: 1))
            for var source in sources(of: configuration.data) {
                if let file = request.file {
                    guard try configuration.files(of: source).contains(file) else { continue }
                    source.files = [file]
                    source.rows = nil
                }
                // A table of text is imported by this program's own reader, and not by a process that may write nothing.
                let files = (try? configuration.files(of: source)) ?? []
                guard files.allSatisfy({ (try? H5File.isHDF5($0)) == true }) else { continue }
                _ = try? Dataset.open(source, settings, targets: .attempt(configuration.task))
            }
            return Response()
        }
    }
}

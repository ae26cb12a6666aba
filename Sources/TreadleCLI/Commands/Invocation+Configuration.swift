internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration

extension Invocation {
    /// The configuration in `file`, with what `--set`, `--threads` and the environment put in its place.
    func configuration(at file: String) throws -> Configuration {
        var configuration = try Configuration.load(
            path: file, overrides: overrides, environment: ProcessInfo.processInfo.environment, stop: Signals.stop)
        configuration.compute.threads = .value(try workers(configured: configuration.compute.threads).count)
        if !isQuiet { log.lowest = configuration.log.level }
        return configuration
    }
}

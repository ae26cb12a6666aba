internal import HDF5
package import TreadleBase
package import TreadleConfiguration
internal import TreadleModel

/// What decides how datasets are opened and read, apart from their names.
package struct DatasetSettings: Sendable {
    package var access: Access
    package var nonFinite: NonFinitePolicy
    package var allowExternal: Bool
    package var allowUnstored: Bool
    package var filters: [String]
    /// Where relative paths start.
    package var baseDirectory: String
    /// Shared by all datasets of a run.
    package var budget: MemoryBudget
    package var workers: Workers
    /// Rows are read in order and then never again: what was decoded or converted is not kept. A file of a few
    /// kilobytes may declare any number of rows, so that keeping what has room would fill the memory for nothing.
    package var readsOnce = false
    /// Where tables that are named in the place of HDF5 files become such files.
    package var tables = TableImports()
    /// Ends the reading of much with an error.
    package var stop: Stop
    package var note: @Sendable (LogLevel, String) -> Void

    package init(
        access: Access = .auto, nonFinite: NonFinitePolicy = .error, allowExternal: Bool = false,
        allowUnstored: Bool = false, filters: [String] = [], baseDirectory: String, budget: MemoryBudget,
        workers: Workers, stop: Stop = Stop(),
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        self.access = access
        self.nonFinite = nonFinite
        self.allowExternal = allowExternal
        self.allowUnstored = allowUnstored
        self.filters = filters
        self.baseDirectory = baseDirectory
        self.budget = budget
        self.workers = workers
        self.stop = stop
        self.note = note
    }

    package init(
        _ data: DataConfiguration, baseDirectory: String, workers: Workers,
        stop: Stop = Stop(),
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        self.init(
            access: data.access, nonFinite: data.nonFinite, allowExternal: data.allowExternal,
            allowUnstored: data.allowUnstored, filters: data.filters, baseDirectory: baseDirectory,
            budget: MemoryBudget(data.memoryLimit), workers: workers, stop: stop, note: note)
    }

    /// For the files that a configuration names, beside which tables stay imported.
    package init(
        _ configuration: Configuration, workers: Workers, stop: Stop = Stop(),
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        self.init(
            configuration.data, baseDirectory: configuration.baseDirectory, workers: workers, stop: stop, note: note)
        tables = TableImports(
            directory: configuration.path(TableImports.directoryName),
            float64: configuration.model.precision.number == .float64, kinds: configuration.data.kinds)
    }

    var policy: AccessPolicy {
        AccessPolicy(allowsOtherFiles: allowExternal, allowsPlugins: !filters.isEmpty, allowsUnstored: allowUnstored)
    }
}

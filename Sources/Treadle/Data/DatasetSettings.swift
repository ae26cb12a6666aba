internal import Glibc
internal import HDF5

/// What decides how datasets are opened and read, apart from their names.
package struct DatasetSettings: Sendable {
    package var access: Access
    package var nonFinite: NonFinitePolicy
    package var allowExternal: Bool
    package var filters: [String]
    /// Where relative paths start.
    package var baseDirectory: String
    /// Shared by all datasets of a run.
    package var budget: MemoryBudget
    package var workers: Workers
    /// Asked while much is read: true ends it with an error.
    package var interrupted: @Sendable () -> Bool
    package var note: @Sendable (LogLevel, String) -> Void

    package init(
        access: Access = .auto, nonFinite: NonFinitePolicy = .error, allowExternal: Bool = false,
        filters: [String] = [], baseDirectory: String, budget: MemoryBudget, workers: Workers,
        interrupted: @escaping @Sendable () -> Bool = { false },
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        self.access = access
        self.nonFinite = nonFinite
        self.allowExternal = allowExternal
        self.filters = filters
        self.baseDirectory = baseDirectory
        self.budget = budget
        self.workers = workers
        self.interrupted = interrupted
        self.note = note
    }

    package init(
        _ data: DataConfiguration, baseDirectory: String, workers: Workers,
        interrupted: @escaping @Sendable () -> Bool = { false },
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        self.init(
            access: data.access, nonFinite: data.nonFinite, allowExternal: data.allowExternal, filters: data.filters,
            baseDirectory: baseDirectory, budget: MemoryBudget(data.memoryLimit), workers: workers,
            interrupted: interrupted, note: note)
    }

    var policy: AccessPolicy {
        AccessPolicy(allowsOtherFiles: allowExternal, allowsPlugins: !filters.isEmpty)
    }

    /// The files that `patterns` name, in their order; what one pattern finds is sorted by name.
    func files(_ patterns: [String]) throws -> [String] {
        var found: [String] = []
        for pattern in patterns {
            let path = pattern.hasPrefix("/") || baseDirectory.isEmpty ? pattern : baseDirectory + "/" + pattern
            guard pattern.contains(where: { "*?[".contains($0) }) else {
                found.append(path)
                continue
            }
            var matches = unsafe glob_t()
            defer { unsafe globfree(&matches) }
            let status = unsafe glob(path, GLOB_NOSORT, nil, &matches)
            guard status == 0 || status == GLOB_NOMATCH else {
                throw TreadleError(.inputOutput, "\(path): the directory could not be read; check its permissions")
            }
            var paths: [String] = []
            for index in unsafe 0..<(status == 0 ? Int(matches.gl_pathc) : 0) {
                if let name = unsafe matches.gl_pathv[index] { unsafe paths.append(String(cString: name)) }
            }
            guard !paths.isEmpty else {
                throw TreadleError(.noInput, "\(path): no file has such a name; check the pattern in data.files")
            }
            // By bytes: the order of rows must not depend on the machine's language.
            found += paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
        return found
    }
}

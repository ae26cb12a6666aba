internal import Foundation
internal import Glibc
public import TreadleBase
internal import TreadleModel

extension Configuration {
    /// Reads and checks a configuration file. Relative paths in it start at its directory.
    ///
    /// `overrides` replace settings as the program's `--set` does: `"optimizer.lr=0.01"`. The environment has no say. All
    /// problems are thrown at once, each with its line and column.
    ///
    /// ```swift
    /// let configuration = try Configuration(contentsOf: "churn.json5", overrides: ["stop.epochs=5"])
    /// ```
    public init(contentsOf path: String, overrides: [String] = []) throws(TreadleError) {
        self = try Self.load(path: path, overrides: overrides)
    }

    /// Reads and checks the text of a configuration, whose relative paths start at `baseDirectory`.
    ///
    /// ```swift
    /// let configuration = try Configuration(
    ///     json5: "{ name: 'churn', data: { train: 'train.h5' }, model: { hidden: [{ units: 64 }] } }",
    ///     baseDirectory: "/srv/churn")
    /// ```
    public init(json5: String, baseDirectory: String, overrides: [String] = []) throws(TreadleError) {
        self = try Self.parse(text: json5, file: "json5", baseDirectory: baseDirectory, overrides: overrides)
    }

    /// The directory that holds the run's checkpoints, metrics and report.
    ///
    /// ```swift
    /// print(configuration.directory)  // /srv/churn/runs/churn
    /// ```
    public var directory: String { path(checkpoint.dir) }

    /// Reads and checks a configuration file.
    ///
    /// Relative paths in it start at its directory. `overrides` are the arguments of `--set`, `environment`
    /// may hold `TREADLE_…` variables; the former beat the latter, which beat the file. A `stop` ends the waiting for a pipe.
    package static func load(
        path: String, overrides: [String] = [], environment: [String: String] = [:], stop: Stop = Stop()
    ) throws(TreadleError) -> Configuration {
        let bytes = try fileBytes(path, stop)
        let directory = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
        return try parse(
            bytes, file: path, baseDirectory: directory, overrides: overrides, environment: environment)
    }

    /// Reads and checks a configuration's text; errors call it `file`.
    package static func parse(
        text: String, file: String, baseDirectory: String, overrides: [String] = [],
        environment: [String: String] = [:]
    ) throws(TreadleError) -> Configuration {
        try parse(
            Array(text.utf8), file: file, baseDirectory: baseDirectory, overrides: overrides, environment: environment)
    }

    private static func parse(
        _ bytes: [UInt8], file: String, baseDirectory: String, overrides: [String], environment: [String: String]
    ) throws(TreadleError) -> Configuration {
        var problems = Problems()
        let written = JSON5Reader.read(bytes, problems: &problems) { .file(file, line: $0, column: $1) }
        guard var root = written else { throw TreadleError(.configuration, messages: problems.messages) }
        for override in Override.all(arguments: overrides, environment: environment, problems: &problems) {
            override.apply(to: &root, problems: &problems)
        }
        guard let configuration = value(of: root, baseDirectory: baseDirectory, &problems) else {
            throw TreadleError(.configuration, messages: problems.messages)
        }
        configuration.check(root, &problems)
        try problems.throwIfAny()
        return configuration
    }

    /// Reads every key by itself; nil for what is no object.
    static func value(of root: JSON5Node, baseDirectory: String, _ problems: inout Problems) -> Configuration? {
        var configuration = section.form.read(root, "", &problems)
        configuration?.baseDirectory = baseDirectory
        configuration?.fillDependentDefaults(absentFrom: root)
        return configuration
    }

    /// The defaults that depend on other keys.
    private mutating func fillDependentDefaults(absentFrom root: JSON5Node) {
        if root["metrics"] == nil { metrics = task == .regression ? [.rmse] : [.accuracy] }
        if root.find("checkpoint.dir") == nil { checkpoint.dir = "runs/\(name)" }
        if root.find("retrain.promote") == nil, data.valid == nil { retrain?.promote = nil }
        if root.find("retrain.promote.to") == nil { retrain?.promote?.to = "models/\(name).h5" }
        if case .source(var source) = data.test {
            source.inheritPaths(of: data.train, absentFrom: root.find("data.test"))
            data.test = .source(source)
        }
        if case .source(var source) = data.valid {
            source.inheritPaths(of: data.train, absentFrom: root.find("data.valid"))
            data.valid = .source(source)
        }
    }

    private static func fileBytes(_ path: String, _ stop: Stop) throws(TreadleError) -> [UInt8] {
        // Configurations are written by people: more than this is another file by mistake.
        let largest = 16 << 20
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path, "open", errno) }
        defer { close(descriptor) }
        var data: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while data.count <= largest {
            // It may be a pipe, whose writer takes its time: a stop is heeded meanwhile.
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&waiting, 1, 100) <= 0 {
                try stop.check()
                continue
            }
            let count = unsafe read(descriptor, &piece, piece.count)
            if count == 0 { break }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { throw unreadable(path, "read", errno) }
            data += piece[..<count]
        }
        guard data.count <= largest else {
            throw TreadleError(.configuration, "\(path): this is larger than 16 MiB and no configuration")
        }
        return data
    }

    private static func unreadable(_ path: String, _ call: String, _ number: Int32) -> TreadleError {
        switch number {
        case ENOENT, ENOTDIR:
            TreadleError(.noInput, "\(path): no such file; `treadle init DATA.h5` writes a configuration")
        case EISDIR: TreadleError(.noInput, "\(path): this is a directory; name the configuration file in it")
        case EACCES, EPERM: TreadleError(.permission, "\(path): no permission to read this file")
        default: .reading(path, call, number)
        }
    }
}

extension DataSource {
    /// Validation and test data lie where training data does, unless they say otherwise.
    fileprivate mutating func inheritPaths(of train: DataSource, absentFrom node: JSON5Node?) {
        if node?["x"] == nil { x = train.x }
        if node?["y"] == nil { y = train.y }
        if node?["weight"] == nil { weight = train.weight }
    }
}

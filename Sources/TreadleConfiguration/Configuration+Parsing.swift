internal import Foundation
package import TreadleBase
internal import TreadleModel

extension Configuration {
    /// Reads and checks a configuration file.
    ///
    /// Relative paths in it start at its directory. `overrides` are the arguments of `--set`, `environment`
    /// may hold `TREADLE_…` variables; the former beat the latter, which beat the file.
    package static func load(
        path: String, overrides: [String] = [], environment: [String: String] = [:]
    ) throws(TreadleError) -> Configuration {
        let bytes = try fileBytes(path)
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
        guard var configuration = section.form.read(root, "", &problems) else {
            throw TreadleError(.configuration, messages: problems.messages)
        }
        configuration.baseDirectory = baseDirectory
        configuration.fillDependentDefaults(absentFrom: root)
        configuration.check(root, &problems)
        try problems.throwIfAny()
        return configuration
    }

    /// The defaults that depend on other keys.
    private mutating func fillDependentDefaults(absentFrom root: JSON5Node) {
        if root["metrics"] == nil { metrics = task == .regression ? [.rmse] : [.accuracy] }
        if root.find("checkpoint.dir") == nil { checkpoint.dir = "runs/\(name)" }
        if root.find("retrain.promote") == nil, data.valid == nil { retrain?.promote = nil }
        if root.find("retrain.promote.to") == nil { retrain?.promote?.to = "models/\(name).h5" }
        data.test?.inheritPaths(of: data.train, absentFrom: root.find("data.test"))
        if case .source(var source) = data.valid {
            source.inheritPaths(of: data.train, absentFrom: root.find("data.valid"))
            data.valid = .source(source)
        }
    }

    private static func fileBytes(_ path: String) throws(TreadleError) -> [UInt8] {
        // Configurations are written by people: more than this is another file by mistake.
        let largest = 16 << 20
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw TreadleError(.noInput, "\(path): no such file; `treadle init DATA.h5` writes a configuration")
        }
        guard !isDirectory.boolValue else {
            throw TreadleError(.noInput, "\(path): this is a directory; name the configuration file in it")
        }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw TreadleError(.permission, "\(path): no permission to read this file")
        }
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            data = try handle.read(upToCount: largest + 1) ?? Data()
        } catch {
            throw TreadleError(.inputOutput, "\(path): cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= largest else {
            throw TreadleError(.configuration, "\(path): this is larger than 16 MiB and no configuration")
        }
        return Array(data)
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

internal import HDF5
internal import TreadleBase
internal import TreadleData

/// Which arrays are inputs and which are targets, by their names and shapes.
struct ArrayRoles {
    /// One dataset of the output: its arrays end in this, as in `/x_train` and `/y_train`; mostly empty.
    struct Group {
        var suffix: String
        var inputs: [ArrayFile]
        var targets: [ArrayFile]
    }

    private(set) var groups: [Group] = []

    private static let inputNames: Set = ["x", "data", "images", "image", "features", "inputs", "input", "arr_0"]
    private static let targetNames: Set = ["y", "labels", "label", "target", "targets", "classes", "arr_1"]

    /// Arrays from NPY or IDX files: each file is one.
    init(files: [ArrayFile], targetFiles: [ArrayFile]) throws {
        guard targetFiles.isEmpty else {
            groups = [Group(suffix: "", inputs: files, targets: targetFiles)]
            return
        }
        // Labels are one number a row; images and features are more. Names decide where shapes do not.
        let ranks = Set(files.map { min($0.shape.count, 2) })
        let isTarget: (ArrayFile) -> Bool =
            ranks.count == 2 ? { $0.shape.count == 1 } : { ArrayRoles.soundsLikeTarget($0.name) }
        let group = Group(
            suffix: "", inputs: files.filter { !isTarget($0) }, targets: files.filter(isTarget))
        guard !group.inputs.isEmpty else {
            throw TreadleError(
                .badData, "\(files[0].label) holds targets, one number a row; name the file of the inputs as well")
        }
        guard group.targets.count <= group.inputs.count else {
            throw TreadleError(
                .badData,
                "there are \(group.targets.count) files of targets for \(group.inputs.count) of inputs; each part needs both"
            )
        }
        groups = [group]
    }

    /// The arrays of one or more NPZ files; `target` and `input` name them where people know better.
    init(archives: [[ArrayFile]], target: String?, input: String?, path: String) throws {
        var groups: [Group] = []
        for arrays in archives {
            for (suffix, x, y) in try ArrayRoles.pairs(arrays, target: target, input: input, path) {
                if let index = groups.firstIndex(where: { $0.suffix == suffix }) {
                    groups[index].inputs.append(x)
                    if let y { groups[index].targets.append(y) }
                } else {
                    groups.append(Group(suffix: suffix, inputs: [x], targets: y.map { [$0] } ?? []))
                }
            }
        }
        self.groups = groups
    }

    private static func pairs(
        _ arrays: [ArrayFile], target: String?, input: String?, _ path: String
    ) throws -> [(String, ArrayFile, ArrayFile?)] {
        let listing = arrays.map { "\($0.name.printable) \($0.shape.map(String.init).joined(separator: "×"))" }
            .joined(separator: ", ")
        func array(called name: String) throws -> ArrayFile {
            if let array = arrays.first(where: { $0.name == name }) { return array }
            throw TreadleError(.usage, "\(path) has no array \"\(name.printable)\"; it holds \(listing)")
        }
        if target != nil || input != nil {
            let y = try target.map(array)
            let others = arrays.filter { $0 !== y && $0.shape.first == y?.shape.first }
            guard let x = try input.map(array) ?? (others.count == 1 ? others[0] : others.first(where: soundsLikeInput))
            else { throw TreadleError(.usage, "name the array of the inputs with --columns; \(path) holds \(listing)") }
            return [("", x, y)]
        }
        var found: [(String, ArrayFile, ArrayFile?)] = []
        for suffix in ["", "_train", "_valid", "_val", "_test"] {
            func stem(_ array: ArrayFile) -> String? {
                let name = array.name.lowercased()
                guard name.hasSuffix(suffix) else { return nil }
                return String(name.dropLast(suffix.count))
            }
            guard let x = arrays.first(where: { stem($0).map(inputNames.contains) ?? false }) else { continue }
            found.append((suffix, x, arrays.first { stem($0).map(targetNames.contains) ?? false }))
        }
        if found.isEmpty, arrays.count == 1 { return [("", arrays[0], nil)] }
        guard !found.isEmpty else {
            throw TreadleError(
                .badData,
                "\(path) holds \(listing): which are the inputs and targets? Name them with --columns and --target")
        }
        return found
    }

    private static func soundsLikeInput(_ array: ArrayFile) -> Bool { inputNames.contains(array.name.lowercased()) }

    private static func soundsLikeTarget(_ name: String) -> Bool {
        name.lowercased().split { !$0.isLetter }.contains { targetNames.contains(String($0)) }
    }
}

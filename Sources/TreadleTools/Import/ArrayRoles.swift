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

    /// Arrays from NPY or IDX files: each file is one.
    init(files: [ArrayFile], targetFiles: [ArrayFile]) throws {
        guard targetFiles.isEmpty else {
            groups = [Group(suffix: "", inputs: files, targets: targetFiles)]
            return
        }
        // Labels are one number a row; images and features are more. Names decide where shapes do not.
        let dimensions = Set(files.map { min($0.shape.count, 2) })
        let isTarget: (ArrayFile) -> Bool =
            dimensions.count == 2 ? { $0.shape.count == 1 } : { ArrayName($0.name).mentionsTargets }
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
            guard
                let x = try input.map(array)
                    ?? (others.count == 1 ? others[0] : others.first { ArrayName($0.name).inputPlace != nil })
            else { throw TreadleError(.usage, "name the array of the inputs with --columns; \(path) holds \(listing)") }
            return [("", x, y)]
        }
        var found: [(String, ArrayFile, ArrayFile?)] = []
        for part in ArrayName.Part.allCases {
            let named = arrays.map { (array: $0, name: ArrayName($0.name)) }.filter { $0.name.part == part }
            guard let x = named.first(where: { $0.name.inputPlace != nil })?.array else { continue }
            let y = named.first { $0.name.targetPlace != nil }?.array
            found.append((part == .whole ? "" : "_\(part.rawValue)", x, y))
        }
        if found.isEmpty, arrays.count == 1 { return [("", arrays[0], nil)] }
        guard !found.isEmpty else {
            throw TreadleError(
                .badData,
                "\(path) holds \(listing): which are the inputs and targets? Name them with --columns and --target")
        }
        return found
    }
}

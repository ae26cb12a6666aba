internal import TreadleBase

extension DataConfiguration {
    static let section = Section(
        initial: DataConfiguration(
            train: DataSource.section.initial, valid: .fraction(0.1), test: nil, batchSize: 256, dropLast: false,
            shuffle: .full, shuffleBlock: 4096, shuffleWindow: 16, access: .auto, memoryLimit: .share(0.25),
            prefetch: 4, normalize: .standard, smoothClip: 3, normalizeTarget: .none, clipPredictions: false,
            nonFinite: .error, allowExternal: false, allowUnstored: false, filters: []),
        keys: [
            Key("train", \.train, .source, .any, "the rows to learn from", isRequired: true),
            Key("valid", \.valid, .validation, .any, "the rows to judge by: a share of the training rows, or files"),
            Key(
                "test", \.test, .heldOut, .any,
                "rows that are measured at the end only: files, or a part of the training rows"),
            Key("batch_size", \.batchSize, .integer(1...16_777_216), .meaning, "rows in a batch"),
            Key("drop_last", \.dropLast, .truth, .meaning, "leave out an epoch's last batch when it is short"),
            Key(
                "shuffle", \.shuffle, .choice(), .meaning,
                "the order of rows: any row anywhere; blocks, mixed within a window; as stored"),
            Key("shuffle_block", \.shuffleBlock, .integer(1...1_000_000_000), .meaning, "rows in a block"),
            Key("shuffle_window", \.shuffleWindow, .integer(1...1_000_000), .meaning, "blocks mixed with each other"),
            Key("access", \.access, .choice(), .nothing, "how files are read"),
            Key("memory_limit", \.memoryLimit, .amount, .nothing, "the most memory that data may take"),
            Key("prefetch", \.prefetch, .integer(1...1024), .nothing, "batches made ready ahead"),
            Key(
                "normalize", \.normalize, .normalization, .meaning,
                "what is done to inputs; fitted on the training rows and stored in the checkpoint"),
            Key(
                "smooth_clip", \.smoothClip, .positive, .meaning,
                "robust: the bound c in z/√(1+(z/c)²), which keeps every normalized input between -c and c"),
            Key(
                "normalize_target", \.normalizeTarget, .choice(), .meaning,
                "what is done to targets in regression; undone in predictions"),
            Key(
                "clip_predictions", \.clipPredictions, .truth, .meaning,
                "regression: keep predictions within the range of the training targets"),
            Key("non_finite", \.nonFinite, .choice(), .meaning, "what is done about NaN and infinity in inputs"),
            Key(
                "allow_external", \.allowExternal, .truth, .nothing,
                "follow links, external storage and virtual datasets into other files"),
            Key(
                "allow_unstored", \.allowUnstored, .truth, .nothing,
                "read datasets that claim far more than their file stores; what is missing reads as zeros"),
            Key(
                "filters", \.filters, .textList, .nothing,
                "HDF5 filters whose plug-ins may be loaded, by name or number"),
            Key(
                "kinds", \.kinds, .textList, .meaning,
                "of a table (CSV, TSV): what columns are, where that is not what they seem to be, as in [\"zip=category\"]"
            ),
        ])
}

extension DataSource {
    static let section = Section(
        initial: DataSource(files: [], x: "/x", y: defaultY, weight: nil, rows: nil),
        keys: [
            Key(
                "files", \.files, .files, .nothing,
                "HDF5 files that make one dataset, in this order, or tables (CSV, TSV); * ? [ ] match names",
                isRequired: true),
            Key("x", \.x, .datasetPath, .meaning, "the inputs: one row a sample"),
            Key(
                "y", \.y, .datasetPath, .meaning, "the targets: one row a sample; of a table, the name of their column"),
            Key("weight", \.weight, Form<String>.datasetPath.orNull, .meaning, "a weight for each row"),
            Key(
                "rows", \.rows, Form<Range<Int>>.rows.orNull, .meaning, "the rows to use: the first N, or [first, end)"),
        ])
}

extension Form where Value == DataSource {
    /// An object, or the files alone.
    static let source: Form = {
        let object = DataSource.section.form
        var form = Form("an object with files, or the files alone") { node, path, problems in
            switch node.value {
            case .object: return object.read(node, path, &problems)
            case .text, .list:
                var source = DataSource.section.initial
                guard let files = Form<[String]>.files.read(node, path, &problems) else { return nil }
                source.files = files
                return source
            default:
                problems.report(
                    "\(path) must be an object with files, or the files alone; found \(node.description)",
                    at: node.origin, path: path)
                return nil
            }
        } write: {
            object.write($0, $1)
        }
        form.settings = object.settings
        return form
    }()
}

extension Form where Value == DataSource {
    /// A source that lies where the training data does, unless it says otherwise.
    static let sourceBesideTraining: Form = {
        var form = source
        form.settings = { path in
            source.settings(path).map { setting in
                var setting = setting
                for key in ["x", "y", "weight"] where setting.path == "\(path).\(key)" {
                    setting.defaultText = "that of data.train"
                }
                return setting
            }
        }
        return form
    }()
}

extension Form where Value == Validation? {
    static let validation: Form = {
        let object = DataSource.section.form
        var form = Form("{ fraction: … }, { folds: … }, an object with files, the files alone, or null") {
            node, path, problems in
            guard !node.isNull else { return .some(nil) }
            guard case .object(let members) = node.value else {
                return Form<DataSource>.source.read(node, path, &problems).map { .source($0) }
            }
            if let folds = members.first(where: { $0.key == "folds" }) {
                for member in members where member.key != "folds" {
                    problems.report(
                        "\(path) takes folds of the training rows or other rows, not both; remove \(quoted(member.key))",
                        at: member.origin, path: path)
                }
                return Form<Int>.folds.read(folds.node, "\(path).folds", &problems).map { .folds($0) }
            }
            if let fraction = members.first(where: { $0.key == "fraction" }) {
                for member in members where member.key != "fraction" {
                    problems.report(
                        "\(path) takes a fraction of the training rows or files, not both; remove \(quoted(member.key))",
                        at: member.origin, path: path)
                }
                let value = Form<Double>.properShare.read(fraction.node, "\(path).fraction", &problems)
                return value.map { .fraction($0) }
            }
            guard
                node["files"] != nil
                    || members.contains(where: { nearest(to: $0.key, among: ["files", "fraction", "folds"]) != nil })
            else {
                problems.report(
                    "\(path) needs either \"fraction\", \"folds\" or \"files\"", at: node.origin, path: path)
                return nil
            }
            return object.read(node, path, &problems).map { .source($0) }
        } write: { validation, influence in
            switch validation {
            case nil: .null
            case .fraction(let share):
                .object(
                    influence.contains(.meaning) ? [PrintedValue.Member(key: "fraction", value: .number(share))] : [])
            case .folds(let count):
                .object(
                    influence.contains(.meaning)
                        ? [PrintedValue.Member(key: "folds", value: .literal("\(count)"))] : [])
            case .source(let source): object.write(source, influence)
            }
        }
        form.settings = { path in
            let fraction = Setting(
                path: "\(path).fraction", expected: Form<Double>.properShare.expected, defaultText: "0.1",
                summary: "the share of the training rows that is set aside, chosen by the seed", influence: .meaning)
            let folds = Setting(
                path: "\(path).folds", expected: Form<Int>.folds.expected, defaultText: nil,
                summary: "parts of the training rows, one of which each member leaves out and is judged by",
                influence: .meaning)
            return [fraction, folds] + Form<DataSource>.sourceBesideTraining.settings(path)
        }
        return form
    }()
}

extension Form where Value == Int {
    fileprivate static let folds = integer(2...1000)
}

extension Form where Value == [String] {
    static let files = texts("a path in quotes or a list of paths", orNone: false)
    static let textList = texts("a list of texts", orNone: true)

    /// A list of texts, or one alone.
    private static func texts(_ expected: String, orNone: Bool) -> Form {
        Form(expected) { node in
            guard case .list(let nodes) = node.value else { return node.plainText.map { [$0] } }
            let texts = nodes.compactMap(\.plainText)
            return texts.count == nodes.count && (orNone || !texts.isEmpty) ? texts : nil
        } print: {
            .list($0.map { .text($0) })
        }
    }
}

extension Form where Value == Range<Int> {
    static let rows = Form("a count of at least 1 or [first, end) such as [0, 1000]") { node in
        let range = 0...Int(1e15)
        switch node.value {
        case .number(let number):
            guard let count = number.integer(as: Int.self), count >= 1, range.contains(count) else { return nil }
            return 0..<count
        case .list(let nodes):
            let bounds = nodes.map { Form<Int>.integer(range).value(of: $0) }
            guard bounds.count == 2, let first = bounds[0], let end = bounds[1], first < end else { return nil }
            return first..<end
        default: return nil
        }
    } print: {
        .list([.literal("\($0.lowerBound)"), .literal("\($0.upperBound)")])
    }
}

extension Form where Value == NormalizationMethod {
    static let normalization: Form = {
        let words = choice([
            ("standard", .standard), ("robust", .robust), ("minmax", .minmax), ("none", .none),
        ]) { "\($0)" }
        let scale = Form<Double>.number("a number other than 0") { $0 != 0 }
        let expected = "\"standard\", \"robust\", \"minmax\", \"none\" or { scale: … }"
        var form = Form(expected) { node, path, problems in
            guard case .object(let members) = node.value else {
                if case .text = node.value { return words.read(node, path, &problems) }
                problems.report(
                    "\(path) must be \(expected); found \(node.description)", at: node.origin,
                    path: path)
                return nil
            }
            for member in members where member.key != "scale" {
                problems.report("unknown key \(quoted(member.key)) in \(path); its key is scale", at: member.origin)
            }
            guard let node = node["scale"] else {
                problems.report(
                    "missing key \"scale\" in \(path): what inputs are multiplied by", at: node.origin, path: path)
                return nil
            }
            return scale.read(node, "\(path).scale", &problems).map { .scale($0) }
        } write: { method, influence in
            guard case .scale(let factor) = method else { return words.write(method, influence) }
            return .object([PrintedValue.Member(key: "scale", value: .number(factor))])
        }
        form.settings = { path in
            [
                Setting(
                    path: "\(path).scale", expected: scale.expected, defaultText: nil,
                    summary: "what every input is multiplied by", influence: .meaning)
            ]
        }
        return form
    }()
}

internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

extension Dataset {
    /// What rows should be recognized as, as outputs of a network, and the classes' names; refuses what does not fit `x` or the
    /// request. `stored` are the names of classes in the first file.
    static func targets(
        _ path: String, _ files: [DataFile], _ range: Range<Int>, _ request: TargetRequest, _ stored: [String]?,
        _ settings: DatasetSettings, _ x: StoredArray, _ cache: BandCache
    ) throws -> (TargetTable, outputs: Int, classes: [String]?) {
        let expected: Int?
        var names = stored
        switch request {
        case .none: return (.none, 0, nil)
        case .learn, .attempt: expected = nil
        case .match(_, let outputs, let classes):
            expected = outputs
            names = classes ?? (stored?.count == outputs ? stored : nil)
        }
        let isText = try files.map { file in
            if case .string = try file.dataset(path).type { true } else { false }
        }
        if request.task == .classification, isText.contains(true) {
            guard !isText.contains(false) else {
                throw TreadleError(
                    .badData, "\(files[0].path):\(path): is text in some files and numbers in others; use one form")
            }
            for file in files {
                let shape = try file.dataset(path).shape
                guard shape.dropFirst().allSatisfy({ $0 == 1 }), !shape.isEmpty else {
                    throw TreadleError(.badData, "\(file.path):\(path): has shape \(shape); labels need one text a row")
                }
            }
            try checkRows(path, try files.map { try $0.dataset(path).shape[0] }, files, x)
            let (labels, found) = try Labels.texts(path, in: files, rows: range, known: names, settings: settings)
            try checkClassCount(found.count, "\(files[0].path):\(path)")
            return (.classes(labels), found.count, found)
        }
        let y = try StoredArray.open(path, in: files, access: .auto, cache: cache, settings: settings)
        try checkRows(path, y.segments.map(\.rows), files, x)
        if case .attempt = request {
            for file in files { _ = try file.names("/classes") }
            try y.readEdges()
            return (.none, 0, nil)
        }
        if request.task == .classification {
            let limit = y.width > 1 ? y.width : expected ?? names?.count
            let what = expected != nil ? "the network" : "/classes"
            if let expected, y.width > 1, y.width != expected {
                throw TreadleError(
                    .badData, "\(files[0].path):\(path): has \(y.width) columns, and the network \(expected) classes")
            }
            let matches = try files.map { ClassMatch(try $0.names("/classes"), as: names) }
            let labels = try Labels.numbers(
                y, rows: range, limit: limit, what: what, names: matches, settings: settings)
            let count = limit ?? labels.largest + 1
            try checkClassCount(count, "\(files[0].path):\(path)")
            return (.classes(labels), count, names?.count == count ? names : nil)
        }
        guard y.rowShape.count <= 1 else {
            throw TreadleError(
                .badData,
                "\(files[0].path):\(path): its rows have the shape \(y.rowShape); targets need one column or several, (N) or (N,K)"
            )
        }
        if let expected, expected != y.width {
            throw TreadleError(
                .badData, "\(files[0].path):\(path): has \(y.width) columns, and the network \(expected) outputs")
        }
        if request.task == .multilabel {
            for file in files { try file.checkLabels(names, width: y.width) }
            try checkBits(y, range, settings)
        }
        return (.values(y), y.width, request.task == .multilabel && names?.count == y.width ? names : nil)
    }

    static func checkRows(_ path: String, _ rows: [Int], _ files: [DataFile], _ x: StoredArray) throws {
        for (index, file) in files.enumerated() where rows[index] != x.segments[index].rows {
            throw TreadleError(
                .badData,
                "\(file.path):\(path): has \(rows[index]) rows, and \(x.path) has \(x.segments[index].rows); they must be as many"
            )
        }
    }

    private static func checkClassCount(_ count: Int, _ subject: String) throws {
        guard count < 2 else { return }
        throw TreadleError(
            .badData, "\(subject): all rows are of one class; a classification needs at least two to tell apart")
    }

    private static func checkBits(_ y: StoredArray, _ range: Range<Int>, _ settings: DatasetSettings) throws {
        try RowSweep(settings).run(range, block: 1 << 14) { _, rows, scratch in
            unsafe try y.visit(rows, scratch) { bytes, form, rows in
                let values = unsafe StoredArray.doubles(bytes, form.number, width: rows.count * y.width)
                guard let place = values.firstIndex(where: { $0 != 0 && $0 != 1 }) else { return }
                let (row, column) = place.quotientAndRemainder(dividingBy: y.width)
                throw TreadleError(
                    .badData,
                    "\(y.subject(rows.lowerBound + row)), column \(column) is \(values[place]); multilabel targets are 0 or 1"
                )
            }
        }
    }
}

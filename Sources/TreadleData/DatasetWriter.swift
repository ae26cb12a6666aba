internal import Glibc
package import HDF5
internal import TreadleBase

/// An HDF5 file of arrays whose sizes are known: a temporary until it is whole, then the file.
///
/// Elements in one piece are written past libhdf5, into space that is set aside before: from many threads at once,
/// and with a full disk told as such. Only compressed chunks go through libhdf5.
@safe package final class DatasetWriter {
    /// How one array is to be stored.
    package struct Plan {
        package var name: String
        package var shape: [Int]
        package var type: OutputElement

        package init(name: String, shape: [Int], type: OutputElement) {
            self.name = name
            self.shape = shape
            self.type = type
        }
    }

    private var target: DurableFile
    /// Open while libhdf5 writes to the target.
    private var file: H5File?
    private var datasets: [H5Dataset] = []
    private var offsets: [Int] = []
    private var rowSizes: [Int] = []
    private let isCompressed: Bool

    /// Creates the file with room for `plans`, and with what else it holds; `schema` is one text of any length.
    package init(
        _ path: String, replacing: Bool, compress: Bool, _ plans: [Plan], texts: [(name: String, values: [String])],
        schema: String? = nil, attributes: [(name: String, value: String)]
    ) throws {
        isCompressed = compress
        target = try DurableFile(creating: path, replacing: replacing)
        let size = plans.reduce(0) { $0 + $1.shape.reduce($1.type.size, *) }
        try checkSpace(size)
        try create(plans, texts, schema, attributes)
        try reserve(plans)
    }

    /// Better said before an hour of work than after it.
    private func checkSpace(_ size: Int) throws {
        let space = try DiskSpace(at: DurableFile.directory(of: target.path))
        let needed = size + 1 << 18
        guard space.available >= needed else {
            throw TreadleError(
                .inputOutput,
                "\(target.path) needs up to \(needed.asBytes), but its file system has \(space.available.asBytes) left; "
                    + "free space or choose another directory")
        }
    }

    private func create(
        _ plans: [Plan], _ texts: [(name: String, values: [String])], _ schema: String?,
        _ attributes: [(name: String, value: String)]
    ) throws {
        let file = try H5File.create(target.temporary, as: target.path, replacing: true, locking: false)
        self.file = file
        for attribute in attributes { try file.setAttribute(attribute.name, attribute.value) }
        for text in texts { try file.write(strings: text.values, to: text.name) }
        if let schema { try file.write(text: schema, to: "schema") }
        for plan in plans {
            var options = DatasetOptions.reserved
            let rowSize = plan.shape.dropFirst().reduce(plan.type.size, *)
            if isCompressed && plan.shape[0] > 0 {
                // About half a megabyte a chunk: large enough to compress and small enough for the library's cache.
                let rows = max(1, min(plan.shape[0], (1 << 19) / max(1, rowSize)))
                options = DatasetOptions(
                    chunk: [rows] + plan.shape.dropFirst(), deflate: 4, shuffle: plan.type.size > 1)
            }
            datasets.append(
                try file.createDataset(plan.name, type: plan.type.stored, shape: plan.shape, options: options))
            rowSizes.append(rowSize)
        }
    }

    private func reserve(_ plans: [Plan]) throws {
        guard !isCompressed else { return }
        var end = 0
        for (dataset, plan) in zip(datasets, plans) {
            guard case .contiguous(let offset, _) = dataset.storage else { preconditionFailure("not contiguous") }
            offsets.append(offset ?? 0)
            end = max(end, (offset ?? 0) + plan.shape.reduce(plan.type.size, *))
        }
        try close()
        try target.reserve(end)
    }

    /// Writes whole rows of the array of this number. Rows that do not overlap may be written at the same time.
    package func write<Element: H5Number>(_ values: [Element], count: Int, rows: Range<Int>, of array: Int) throws {
        guard !isCompressed else {
            return try datasets[array].write(values.count == count ? values : Array(values[..<count]), rows: rows)
        }
        let size = count * MemoryLayout<Element>.size
        precondition(size == rows.count * rowSizes[array] && count <= values.count, "rows must be written whole")
        try target.write(
            unsafe values.span.extracting(..<count).bytes, at: offsets[array] + rows.lowerBound * rowSizes[array])
    }

    /// Makes the file durable and gives it its name.
    package func finish() throws {
        try close()
        try target.commit()
    }

    private func close() throws {
        datasets.removeAll()
        try file?.close()
        file = nil
    }
}

/// The element types that the program writes.
package enum OutputElement: Equatable, Sendable {
    case uint8, int32, int64, float32, float64
    /// UTF-8 padded with zeros to this many bytes.
    case text(Int)

    var size: Int {
        switch self {
        case .uint8: 1
        case .int32, .float32: 4
        case .int64, .float64: 8
        case .text(let bytes): bytes
        }
    }

    package var stored: ElementType {
        switch self {
        case .uint8: .uint(8)
        case .int32: .int(32)
        case .int64: .int(64)
        case .float32: .float32
        case .float64: .float64
        case .text(let bytes): .string(StringFormat(size: bytes))
        }
    }
}

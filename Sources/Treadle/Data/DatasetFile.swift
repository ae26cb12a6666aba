internal import Glibc
internal import HDF5

/// An HDF5 file of arrays whose sizes are known: a temporary until it is whole, then the file.
///
/// Elements in one piece are written past libhdf5, into space that is set aside before: from many threads at once,
/// and with a full disk told as such. Only compressed chunks go through libhdf5.
@safe final class DatasetFile {
    /// How one array is to be stored.
    struct Plan {
        var name: String
        var shape: [Int]
        var type: OutputElement
    }

    private let path: String
    private let temporary: String
    private let calls = SystemCalls()
    private var file: H5File?
    private var datasets: [H5Dataset] = []
    private var offsets: [Int] = []
    private var rowSizes: [Int] = []
    private var descriptor: Int32 = -1
    private let isCompressed: Bool
    private var isDone = false

    /// Creates the file with room for `plans`, and with what else it holds.
    init(
        _ path: String, replacing: Bool, compress: Bool, _ plans: [Plan], texts: [(name: String, values: [String])],
        attributes: [(name: String, value: String)]
    ) throws {
        self.path = path
        isCompressed = compress
        let directory = DurableFile.directory(of: path)
        let random = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
        temporary = "\(directory)/.\(path.split(separator: "/").last ?? "import").\(random).tmp"
        if !replacing, unsafe access(path, F_OK) == 0 {
            throw TreadleError(.cannotCreate, "\(path) exists; choose another name, or replace it with --force")
        }
        let size = plans.reduce(0) { $0 + $1.shape.reduce($1.type.size, *) }
        try DatasetFile.checkDirectory(of: path, directory, size)
        do {
            try create(plans, texts, attributes)
            try reserve(size, of: plans)
        } catch {
            discard()
            throw error
        }
    }

    deinit { if !isDone { discard() } }

    private static func checkDirectory(of path: String, _ directory: String, _ size: Int) throws {
        guard unsafe access(directory, W_OK | X_OK) == 0 else { throw TreadleError.writing(path, "creation", errno) }
        // Better said before an hour of work than after it.
        let space = try DiskSpace(at: directory)
        let needed = size + 1 << 18
        guard space.available >= needed else {
            throw TreadleError(
                .inputOutput,
                "\(path) needs up to \(needed.bytesInWords), but its file system has \(space.available.bytesInWords) left; "
                    + "free space or choose another directory")
        }
    }

    private func create(
        _ plans: [Plan], _ texts: [(name: String, values: [String])], _ attributes: [(name: String, value: String)]
    ) throws {
        let file = try H5File.create(temporary, replacing: false)
        self.file = file
        for attribute in attributes { try file.setAttribute(attribute.name, attribute.value) }
        for text in texts { try file.write(strings: text.values, to: text.name) }
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

    /// Takes hold of the space of all arrays, so that the disk cannot fill up half-way.
    private func reserve(_ size: Int, of plans: [Plan]) throws {
        guard !isCompressed else { return }
        for dataset in datasets {
            guard case .contiguous(let offset, _) = dataset.storage else { preconditionFailure("not contiguous") }
            offsets.append(offset ?? 0)
        }
        try close()
        descriptor = unsafe open(temporary, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TreadleError.writing(path, "open", errno) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw TreadleError.writing(path, "fstat", errno) }
        let end = zip(offsets, plans).reduce(Int(status.st_size)) { end, next in
            max(end, next.0 + next.1.shape.reduce(next.1.type.size, *))
        }
        let failure = posix_fallocate(descriptor, 0, off_t(end))
        guard failure == 0 || failure == EOPNOTSUPP || failure == EINVAL else {
            throw TreadleError.writing(path, "fallocate", failure)
        }
    }

    /// Writes whole rows of the array of this number. Rows that do not overlap may be written at the same time.
    func write<Element: H5Number>(_ values: [Element], count: Int, rows: Range<Int>, of array: Int) throws {
        guard !isCompressed else {
            return try datasets[array].write(values.count == count ? values : Array(values[..<count]), rows: rows)
        }
        let size = count * MemoryLayout<Element>.size
        precondition(size == rows.count * rowSizes[array] && count <= values.count, "rows must be written whole")
        try unsafe values.withUnsafeBytes { bytes in
            var done = 0
            while done < size {
                let place = offsets[array] + rows.lowerBound * rowSizes[array] + done
                let put = unsafe pwrite(descriptor, bytes.baseAddress?.advanced(by: done), size - done, off_t(place))
                if put < 0 && errno == EINTR { continue }
                guard put > 0 else { throw TreadleError.writing(path, "write", put < 0 ? errno : EIO) }
                done += put
            }
        }
    }

    /// Makes the file durable and gives it its name.
    func finish() throws {
        if file != nil {
            try file?.flush()
            try close()
            descriptor = unsafe open(temporary, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw TreadleError.writing(path, "open", errno) }
        }
        try calls.fsync(descriptor, for: path)
        let written = descriptor
        descriptor = -1
        try calls.close(written, for: path)
        try calls.rename(temporary, to: path)
        isDone = true
        try calls.syncDirectory(DurableFile.directory(of: path))
    }

    private func close() throws {
        datasets.removeAll()
        try file?.close()
        file = nil
    }

    private func discard() {
        datasets.removeAll()
        file = nil
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
        _ = unsafe unlink(temporary)
        isDone = true
    }
}

/// The element types that the program writes.
enum OutputElement: Equatable, Sendable {
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

    var stored: ElementType {
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

extension Int {
    /// A size as people read it: "3.2 GB".
    var bytesInWords: String {
        var value = Double(self)
        for unit in ["bytes", "kB", "MB", "GB"] {
            if value < 1000 {
                return unit == "bytes" || value >= 100 || value == value.rounded()
                    ? "\(Int(value.rounded())) \(unit)" : "\((value * 10).rounded() / 10) \(unit)"
            }
            value /= 1000
        }
        return "\((value * 10).rounded() / 10) TB"
    }
}

import TreadleBase

@testable import HDF5
@testable import TreadleData

func readNPY(_ bytes: [UInt8]) throws {
    let file = MemoryFile(bytes)
    let source = try ByteSource(InputFile(file.path))
    try readRows(of: NPY.open(source, label: "a.npy", name: "a"))
}

func readIDX(_ bytes: [UInt8]) throws {
    let file = MemoryFile(bytes)
    let source = try ByteSource(InputFile(file.path))
    try readRows(of: IDX.open(source, label: "images-idx3-ubyte", name: "images"))
}

/// An archive's entries, unpacked, and the arrays in them.
func readArchive(_ bytes: [UInt8]) throws {
    let file = MemoryFile(bytes)
    let input = try InputFile(file.path)
    _ = try FileKind(of: input)
    let directory = try ZIPDirectory(input)
    var firstError: (any Error)?
    for entry in directory.entries.prefix(8) {
        do {
            try readRows(of: NPY.open(directory.open(entry), label: entry.name, name: entry.name))
            try readWhole(directory.open(entry))
        } catch {
            firstError = firstError ?? error
        }
    }
    if let firstError { throw firstError }
}

/// So many bytes are enough of what unpacks to more.
private let most = 1 << 18

private func readWhole(_ source: ByteSource) throws {
    var buffer = [UInt8](repeating: 0, count: 4096)
    var total = 0
    while total < most {
        let count = try source.read(into: &buffer, 0..<buffer.count)
        total += count
        if count < buffer.count { return }
    }
}

private func readRows(of array: ArrayFile) throws {
    guard !array.shape.isEmpty, array.rows > 0 else { return }
    let rowSize = array.width.multipliedReportingOverflow(by: array.element.size)
    guard !rowSize.overflow, rowSize.partialValue <= most else { return }
    let rows = min(array.rows, max(1, most / max(1, rowSize.partialValue)), 64)
    var raw: [UInt8] = []
    try array.next(rows, into: &raw)
    let count = rows * array.width
    switch array.element.kind {
    case .bytes, .characters:
        precondition(array.element.texts(raw, count: count).count == count, "as many texts as elements")
    case .boolean, .unsigned, .signed:
        precondition(array.element.integers(raw, count: count, as: Int64.self).count == count, "as many as elements")
        fallthrough
    case .float:
        var numbers = [Float](repeating: 0, count: count)
        array.element.read(raw, count: count, into: &numbers)
    }
}

/// The index of a dataset's chunks, of which one lies in the file and another is of a dataset of rank 0 to 3.
func readChunkTree(_ bytes: [UInt8]) throws {
    guard bytes.count > 4 else { return }
    let (dimensions, header, count) = (Int(bytes[0] % 4), Int(bytes[1]) | Int(bytes[2]) << 8, Int(bytes[3]))
    bytes.dropFirst(4).withUnsafeBytes { file in
        let tree = ChunkTree(
            bytes: FileBytes(descriptor: -1, memory: file, count: file.count), base: 0, dimensions: dimensions)
        let table = tree.table(header: header, expecting: count)
        precondition(table == nil || table?.count == count, "as many as are due, or none")
    }
}

internal import HDF5
internal import TreadleBase

/// An array in a file: its type and shape, and its elements row by row.
package final class ArrayFile {
    /// What to call it in messages: the file, and the array's name within it.
    package let label: String
    /// The array's own name: a key of an NPZ, otherwise the file's name without its extension.
    package let name: String
    package let shape: [Int]
    package let element: StoredElement
    private let isColumnMajor: Bool
    private let source: ByteSource
    /// Where the first element lies in `source.file`, where that is not compressed.
    private let offset: Int
    private var nextRow = 0

    init(
        label: String, name: String, shape: [Int], element: StoredElement, isColumnMajor: Bool, source: ByteSource
    ) throws {
        self.label = label
        self.name = name
        self.shape = shape
        self.element = element
        self.isColumnMajor = isColumnMajor && shape.count > 1
        self.source = source
        offset = source.position
        // An array without rows may still claim rows of any width.
        guard let width = shape.dropFirst().boundedProduct(times: max(1, element.size)),
            let count = [shape.first ?? 1].boundedProduct(times: width)
        else { throw TreadleError(.badData, "\(label) says that it has more elements than any file can hold") }
        guard count <= source.most else {
            throw TreadleError(
                .badData,
                "\(label) should hold \(count) bytes of elements, but its file "
                    + (source.form == .plain ? "ends after" : "cannot unpack to more than")
                    + " \(source.most); copy or download it again")
        }
        if self.isColumnMajor && source.form != .plain {
            throw TreadleError(
                .badData,
                "\(label) is compressed and in column order, which cannot be read row by row; "
                    + "save it with numpy.ascontiguousarray, or not compressed")
        }
    }

    package var rows: Int { shape[0] }
    /// Elements of a row.
    package var width: Int { shape.dropFirst().reduce(1, *) }
    /// How far reading has come, in bytes of the file.
    package var position: Int { source.position }

    /// The bytes of the next `count` rows, row by row.
    package func next(_ count: Int, into buffer: inout [UInt8]) throws {
        precondition(nextRow + count <= rows, "no rows are left")
        let size = count * width * element.size
        if buffer.count < size { buffer.append(contentsOf: [UInt8](repeating: 0, count: size - buffer.count)) }
        if isColumnMajor {
            try gather(count, into: &buffer)
        } else {
            guard try source.read(into: &buffer, 0..<size) == size else {
                throw TreadleError(
                    .badData, "\(label) ends before row \(nextRow + count) of \(rows); copy or download it again")
            }
        }
        nextRow += count
        if nextRow == rows && !isColumnMajor { try source.finish() }
    }

    /// Column order keeps a column's rows side by side: each stretch of a column is spread over the rows.
    private func gather(_ count: Int, into buffer: inout [UInt8]) throws {
        let size = element.size
        let inner = Array(shape.dropFirst())
        var stretch = [UInt8](repeating: 0, count: count * size)
        for column in 0..<width {
            // The column's place in row order, with the last dimension fastest; in the file the first is.
            var rest = column
            var place = 0
            for dimension in inner.indices {
                let index = rest % inner[dimension]
                rest /= inner[dimension]
                place = place * inner[dimension] + index
            }
            let start = offset + (column * rows + nextRow) * size
            guard try source.file.read(into: &stretch, 0..<stretch.count, at: start) == stretch.count else {
                throw TreadleError(.badData, "\(label) ends early; copy or download it again")
            }
            for row in 0..<count {
                for byte in 0..<size { buffer[(row * width + place) * size + byte] = stretch[row * size + byte] }
            }
        }
    }
}

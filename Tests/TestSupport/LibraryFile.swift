internal import CForms

/// A file with datasets in forms that the program reads and does not write, as libhdf5 itself writes them.
package struct LibraryFile {
    package let path: String
    private let isNewer: Bool

    /// Creates a file, in the format of libhdf5 1.10 where `isNewer`, behind a user block of so many bytes.
    package init(_ path: String, isNewer: Bool = false, userBlock: Int = 0) throws {
        guard cforms_create(path, isNewer ? 1 : 0, userBlock) >= 0 else { throw Refused(what: path) }
        self.path = path
        self.isNewer = isNewer
    }

    /// A file that is there already, in the format of before 1.10.
    package init(adding path: String) {
        self.path = path
        isNewer = false
    }

    package struct Refused: Error { let what: String }

    package enum Form {
        case contiguous, compact
        /// Deflated at a level, where one is given.
        case chunked([Int], deflate: Int? = nil, grows: Bool = false)
        /// Integers as their distances from the least in the chunk.
        case scaledOffsets([Int])
        /// One chunk that went through a filter of this number, which nobody has.
        case filtered(by: Int32)
        /// The numbers lie in a file of their own, which is written, too.
        case external(String)
        /// The numbers are those of a dataset of another file, or of this one: ".".
        case virtual(file: String, dataset: String)
    }

    /// Adds a matrix; `type` as NumPy spells it. Of `rows` alone there is something in the file, the others have `fill`.
    package func add(
        _ name: String, _ values: [Double], shape: [Int], type: String = "<f8", _ form: Form = .contiguous,
        rows: Range<Int>? = nil, fill: Double = 0
    ) throws {
        let rows = rows ?? 0..<shape[0]
        var (other, otherName) = ("", "")
        let status = name.withCString { name in
            type.withCString { type in
                values.withUnsafeBufferPointer { values in
                    var dataset = cforms_dataset()
                    (dataset.name, dataset.type, dataset.values) = (name, type, values.baseAddress)
                    (dataset.rows, dataset.columns) = (shape[0], shape[1])
                    (dataset.first_row, dataset.end_row) = (rows.lowerBound, rows.upperBound)
                    dataset.fill = fill
                    dataset.deflate = -1
                    func chunk(_ shape: [Int]) {
                        dataset.layout = CFORMS_CHUNKED
                        (dataset.chunk_rows, dataset.chunk_columns) = (shape[0], shape[1])
                    }
                    switch form {
                    case .contiguous: dataset.layout = CFORMS_CONTIGUOUS
                    case .compact: dataset.layout = CFORMS_COMPACT
                    case .chunked(let size, let level, let grows):
                        chunk(size)
                        dataset.deflate = Int32(level ?? -1)
                        dataset.grows = grows ? 1 : 0
                    case .scaledOffsets(let size):
                        chunk(size)
                        dataset.scales_offsets = 1
                    case .filtered(let number):
                        chunk(shape)
                        dataset.unknown_filter = number
                    case .external(let file):
                        dataset.layout = CFORMS_EXTERNAL
                        other = file
                    case .virtual(let file, let name):
                        dataset.layout = CFORMS_VIRTUAL
                        (other, otherName) = (file, name)
                    }
                    return other.withCString { other in
                        otherName.withCString { otherName in
                            (dataset.other_file, dataset.other_name) = (other, otherName)
                            return cforms_add(path, isNewer ? 1 : 0, &dataset)
                        }
                    }
                }
            }
        }
        guard status >= 0 else { throw Refused(what: "\(path):\(name)") }
    }

    /// Adds a link to an object of another file.
    package func link(_ name: String, to object: String, of file: String) throws {
        guard cforms_link(path, name, file, object) >= 0 else { throw Refused(what: "\(path):\(name)") }
    }
}

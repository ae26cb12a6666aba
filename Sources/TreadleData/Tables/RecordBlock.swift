internal import TreadleBase

/// Whole records of a delimited text that lie one after the other: what one worker parses at a time.
package final class RecordBlock {
    /// Memory, of which the first `count` bytes hold records.
    fileprivate(set) var memory: [UInt8]
    fileprivate(set) var count = 0
    /// The number of the line that the first record begins in, counted from 1.
    fileprivate(set) var firstLine = 1

    package init(capacity: Int) { memory = [UInt8](repeating: 0, count: capacity) }

    /// Lends the records' bytes.
    func withBytes<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        let lent = memory
        return try body(lent.span.extracting(0..<count))
    }

    /// The number of the line in which `position` lies.
    func line(at position: Int) -> Int { firstLine + newlines(in: 0..<min(position, count)) }

    fileprivate func newlines(in range: Range<Int>) -> Int {
        let lent = memory
        let bytes = lent.span
        var found = 0
        for index in range { found += bytes[index] == UInt8(ascii: "\n") ? 1 : 0 }
        return found
    }
}

/// Cuts a delimited text into blocks of whole records, which quotes may spread over many lines.
package final class RecordCutter {
    /// A record longer than this is taken for a quote that was never closed.
    static let longestRecord = 1 << 26

    private let source: ByteSource
    private let delimiter: UInt8
    private var carry: [UInt8] = []
    private var line = 1
    private var started = false
    private var exhausted = false

    package init(_ source: ByteSource, delimiter: UInt8) {
        self.source = source
        self.delimiter = delimiter
    }

    /// How much of the file has been read, in its own bytes.
    package var position: Int { source.position }

    /// Fills `block` with the next records; false at the end.
    package func next(_ block: RecordBlock) throws -> Bool {
        block.count = carry.count
        block.firstLine = line
        if block.memory.count < carry.count { block.memory.append(contentsOf: carry) }
        block.memory.replaceSubrange(0..<carry.count, with: carry)
        carry.removeAll(keepingCapacity: true)
        while true {
            if !exhausted {
                let space = block.count..<block.memory.count
                let got = try source.read(into: &block.memory, space)
                block.count += got
                exhausted = got < space.count
            }
            if !started {
                started = true
                skipByteOrderMark(block)
            }
            if exhausted { break }
            let end = block.withBytes { RecordCutter.lastRecordEnd($0, delimiter) }
            if end > 0 {
                carry.append(contentsOf: block.memory[end..<block.count])
                block.count = end
                break
            }
            guard block.memory.count < RecordCutter.longestRecord else {
                throw TreadleError(
                    .badData,
                    "\(source.path):\(line): the record that begins here is longer than 64 MiB; is a quote not closed?")
            }
            block.memory.append(contentsOf: [UInt8](repeating: 0, count: block.memory.count))
        }
        line += block.newlines(in: 0..<block.count)
        return block.count > 0
    }

    private func skipByteOrderMark(_ block: RecordBlock) {
        guard block.count >= 3, block.memory[0..<3] == [0xef, 0xbb, 0xbf] else { return }
        block.memory.replaceSubrange(0..<3, with: [])
        block.count -= 3
    }

    /// Where the last record that ends in `bytes` ends; `bytes` begin with a record's beginning.
    private static func lastRecordEnd(_ bytes: Span<UInt8>, _ delimiter: UInt8) -> Int {
        let quote = UInt8(ascii: "\"")
        var quotes = 0
        for index in 0..<bytes.count { quotes += bytes[index] == quote ? 1 : 0 }
        if quotes == 0 {
            var end = bytes.count
            while end > 0, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
            return end
        }
        var last = 0
        var inside = false
        var atFieldStart = true
        var p = 0
        while p < bytes.count {
            let byte = bytes[p]
            p += 1
            if inside {
                if byte == quote {
                    if p < bytes.count, bytes[p] == quote { p += 1 } else { inside = false }
                }
            } else if byte == UInt8(ascii: "\n") {
                last = p
                atFieldStart = true
            } else if byte == delimiter {
                atFieldStart = true
            } else {
                inside = atFieldStart && byte == quote
                atFieldStart = false
            }
        }
        return last
    }
}

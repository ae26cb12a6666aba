/// Different texts, numbered from 0 in the order in which they came, and found by their bytes without making a String.
struct WordTable: Sendable {
    private var bytes: [UInt8] = []
    /// Where each text ends in `bytes`; it begins where the one before it ends.
    private var ends: [Int] = []
    /// Open addressing: 1 + a text's number, or 0; as many as a power of two, and at least twice as many as texts.
    private var slots: [Int32] = []

    init() {}

    init(_ words: [String]) {
        for word in words { _ = insert(Array(word.utf8).span) }
    }

    var count: Int { ends.count }

    subscript(number: Int) -> String { String(decoding: bytes[range(number)], as: UTF8.self) }

    /// The number of a text that is there.
    func find(_ word: Span<UInt8>) -> Int? {
        guard !slots.isEmpty else { return nil }
        let slot = slot(of: word)
        return slots[slot] == 0 ? nil : Int(slots[slot]) - 1
    }

    /// The number of a text, which is added where it is new.
    mutating func insert(_ word: Span<UInt8>) -> Int {
        if 2 * (ends.count + 1) > slots.count { grow() }
        let slot = slot(of: word)
        if slots[slot] == 0 {
            for index in word.indices { bytes.append(word[index]) }
            ends.append(bytes.count)
            slots[slot] = Int32(ends.count)
        }
        return Int(slots[slot]) - 1
    }

    /// Lends the bytes of a text.
    func withWord<Result>(_ number: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try body(bytes.span.extracting(range(number)))
    }

    private func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

    private func slot(of word: Span<UInt8>) -> Int {
        // Swift's hash has a key of the process: no file can be made for its words to collide.
        var hasher = Hasher()
        unsafe word.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] != 0, !isEqual(Int(slots[slot]) - 1, word) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private func isEqual(_ number: Int, _ word: Span<UInt8>) -> Bool {
        let range = range(number)
        guard range.count == word.count else { return false }
        let own = bytes.span
        for index in word.indices where own[range.lowerBound + index] != word[index] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: max(8, 2 * slots.count))
        for number in 0..<count {
            let place = withWord(number) { slot(of: $0) }
            slots[place] = Int32(number + 1)
        }
    }
}

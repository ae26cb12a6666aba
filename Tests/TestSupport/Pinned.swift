/// An array that stays at one place in memory for as long as this object lives.
package final class Pinned<Element> {
    private let buffer: UnsafeMutableBufferPointer<Element>

    package init(_ elements: [Element]) {
        buffer = .allocate(capacity: max(elements.count, 1))
        _ = buffer.initialize(from: elements)
    }

    deinit { buffer.deallocate() }

    package subscript(from index: Int) -> UnsafePointer<Element> {
        guard let base = buffer.baseAddress else { preconditionFailure("a buffer has at least one place") }
        return UnsafePointer(base + index)
    }
}

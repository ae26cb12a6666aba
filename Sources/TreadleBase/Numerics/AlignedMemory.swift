internal import Foundation

/// Zeroed memory that starts on a cache line and lives as long as this object.
@safe package final class AlignedMemory<Element: BitwiseCopyable> {
    package let count: Int
    package let start: UnsafeMutablePointer<Element>
    private let allocation: UnsafeMutableRawPointer

    package init(count: Int) {
        self.count = count
        // One panel more than asked for: kernels work on whole vectors.
        let bytes = count * MemoryLayout<Element>.stride + 128
        // Large arrays are walked a row at a time, each row in another page: large pages took 4 % off a step of
        // 784-1024-1024-10 at batch 1,024.
        let page = LargePages.size
        unsafe allocation = .allocate(byteCount: bytes, alignment: bytes >= page ? page : 128)
        unsafe LargePages.prefer(in: UnsafeMutableRawBufferPointer(start: allocation, count: bytes))
        unsafe allocation.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        unsafe start = allocation.bindMemory(to: Element.self, capacity: count)
    }

    /// A copy of `elements`.
    package convenience init(_ elements: [Element]) {
        self.init(count: elements.count)
        for (index, element) in elements.enumerated() { unsafe start[index] = element }
    }

    deinit { unsafe allocation.deallocate() }
}

/// Pages of 2 MiB. Touching new memory a small page at a time takes longer than most of what is done with it.
package enum LargePages {
    package static let size = 1 << 21

    /// Asks for them where whole ones lie in `memory`, which has not been touched yet; small ones serve where there are none.
    package static func prefer(in memory: UnsafeMutableRawBufferPointer) {
        guard let start = memory.baseAddress else { return }
        let first = unsafe start.alignedUp(toMultipleOf: size)
        let count = unsafe (memory.count - (first - start)) / size * size
        if count > 0 { unsafe madvise(first, count, MADV_HUGEPAGE) }
    }
}

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
        // Large arrays are walked a row at a time, each row in another page: pages of 2 MiB took 4 % off a step of
        // 784-1024-1024-10 at batch 1,024. A kernel that refuses them gives small ones.
        let huge = 1 << 21
        unsafe allocation = .allocate(byteCount: bytes, alignment: bytes >= huge ? huge : 128)
        if bytes >= huge { unsafe madvise(allocation, bytes, MADV_HUGEPAGE) }
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

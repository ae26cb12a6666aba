/// Zeroed memory that starts on a cache line and lives as long as this object.
@safe final class AlignedMemory<Element: BitwiseCopyable> {
    let count: Int
    let start: UnsafeMutablePointer<Element>
    private let allocation: UnsafeMutableRawPointer

    init(count: Int) {
        self.count = count
        // One vector more than asked for: kernels work on whole vectors.
        let bytes = count * MemoryLayout<Element>.stride + 128
        unsafe allocation = .allocate(byteCount: bytes, alignment: 128)
        unsafe allocation.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        unsafe start = allocation.bindMemory(to: Element.self, capacity: count)
    }

    deinit { unsafe allocation.deallocate() }
}

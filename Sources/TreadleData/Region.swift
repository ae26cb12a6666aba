internal import CDecode
internal import TreadleBase

/// A piece of memory from the kernel that lives as long as this object.
///
/// Whoever fills it does so before others see the object: after that it is only read.
@safe final class Region: @unchecked Sendable {
    let bytes: UnsafeMutableRawPointer
    let count: Int

    /// `count` zeroed bytes; fails where the machine has no more memory.
    init(count: Int, for purpose: @autoclosure () -> String) throws {
        guard let bytes = unsafe cd_allocate(max(count, 1)) else {
            throw TreadleError(
                .inputOutput,
                "no memory for \(purpose()): \(count.asBytes) are needed; lower data.memory_limit or close other programs"
            )
        }
        unsafe self.bytes = unsafe bytes
        self.count = count
    }

    deinit {
        unsafe cd_release(bytes, max(count, 1))
    }
}

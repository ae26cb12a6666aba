internal import Foundation
internal import Glibc
internal import TreadleBase

/// The HDF5 image of a checkpoint file, in memory, after its length and digest have been found right.
///
/// Holds as many bytes as the file has, for as long as it lives. What changes in the file afterwards changes
/// nothing here.
@safe final class VerifiedImage: CheckpointImage {
    /// The image without the user block; valid while this object lives.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    var length: Int { unsafe bytes.count }

    init(readingFrom path: String) throws {
        let file = try SealedFile(path)
        guard file.length <= ControlGroup.memory else {
            throw TreadleError(
                .badData,
                "\(path): \(file.length.asBytes) do not fit into the \(ControlGroup.memory.asBytes) of memory that this process may "
                    + "use; raise the limit of its container or unit, or use a larger machine")
        }
        let image = UnsafeMutableRawBufferPointer.allocate(
            byteCount: file.length, alignment: file.length >= LargePages.size ? LargePages.size : 64)
        unsafe LargePages.prefer(in: image)
        unsafe bytes = UnsafeRawBufferPointer(image)
        // From here on all that is stored is set: an error thrown runs deinit.
        try unsafe file.checkDigest(into: image)
    }

    deinit { unsafe bytes.deallocate() }

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) {
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + buffer.count]))
    }

    /// What changes in the file does not change this copy of it.
    func checkUnchanged() {}
}

internal import CHDF5Shims
internal import Synchronization

/// A whole HDF5 file in memory.
@safe
package final class H5Image: Sendable {
    fileprivate nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    package var count: Int { unsafe bytes.count }

    /// The file's bytes, for the time of `body`.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) in try unsafe body(bytes) }
    }

    fileprivate init(takingOver bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    deinit { unsafe chdf5_image_discard(bytes.baseAddress, bytes.count) }
}

extension H5File {
    /// A number for each image's name: libhdf5 takes two images of one name for the same file.
    private static let images = Atomic<UInt64>(0)

    private static func imageName() -> String {
        "image-\(images.wrappingAdd(1, ordering: .relaxed).newValue)"
    }

    /// Builds a file in memory and takes its buffer without a copy. The disk is never touched.
    ///
    /// Datasets that are `.reserved` and not written read as zeros and take no memory.
    /// Everything opened out of the file is closed when `body` has returned.
    /// Equal contents written in equal order give equal bytes.
    package static func image(_ body: (H5File) throws -> Void) throws -> H5Image {
        let file: H5File
        let image: ImageInProgress
        (file, image) = try H5Library.locked { () throws(H5Error) in
            let access = try Handle.properties(chdf5_property_file_access())
            let image = try ImageInProgress(access.id)
            try check(H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG), "image")
            let id = unsafe H5Fcreate(imageName(), chdf5_acc_trunc(), chdf5_default(), access.id)
            return (H5File(try H5Context(id, name: "image")), image)
        }
        do {
            try body(file)
        } catch {
            H5Library.locked { _ = H5Fclose(file.identifier) }
            throw error
        }
        return try H5Library.locked { () throws(H5Error) in
            try check(H5Fflush(file.identifier, H5F_SCOPE_GLOBAL), "image")
            try check(H5Fclose(file.identifier), "image")
            guard let bytes = unsafe image.take() else {
                throw H5Error(.other, "image", "libhdf5 has not let go of it")
            }
            return unsafe H5Image(takingOver: bytes)
        }
    }
}

/// The C side of an image that is being built. Used inside the lock.
@safe
private final class ImageInProgress {
    private let image: OpaquePointer

    init(_ access: hid_t) throws(H5Error) {
        guard let image = unsafe chdf5_image_new(access) else { throw H5Error.fromStack(subject: "image") }
        unsafe self.image = image
    }

    /// The finished bytes.
    func take() -> UnsafeRawBufferPointer? {
        var size = 0
        guard let bytes = unsafe chdf5_image_take(image, &size) else { return nil }
        return unsafe UnsafeRawBufferPointer(start: bytes, count: size)
    }

    deinit {
        let image = unsafe image
        H5Library.locked { unsafe chdf5_image_release(image) }
    }
}

internal import CHDF5Shims
internal import Glibc

/// An open HDF5 file, which is also its root group.
///
/// It stays open as long as it or any object out of it lives.
package final class H5File: H5Container {
    package let context: H5Context
    package var identifier: Int64 { context.file.id }
    package var path: String { "/" }

    init(_ context: H5Context) { self.context = context }

    /// Opens a file for reading.
    ///
    /// Where the file system has no locks it goes on without them; a file that a writer holds open is an error
    /// of kind `.locked`. `name` is what messages call it, if not by its path.
    package static func open(
        _ path: String, as name: String? = nil, policy: AccessPolicy = .confined
    ) throws(H5Error) -> H5File {
        let name = name ?? path
        return try H5Library.locked { () throws(H5Error) in
            let access = try Handle.properties(chdf5_property_file_access())
            if let reason = FileDiagnosis.refusal(of: path, as: name) { throw reason }
            var id = unsafe H5Fopen(path, chdf5_acc_rdonly(), access.id)
            if id < 0 {
                let frames = ErrorFrame.takeAll()
                guard let lock = frames.first(where: { $0.kind == CHDF5_CANNOT_LOCK }) else {
                    throw FileDiagnosis.explain(path, as: name, frames)
                }
                guard !FileDiagnosis.isHeld(lock) else {
                    throw H5Error(
                        .locked, name,
                        "is being written by another program, which holds its lock; try again when that has finished")
                }
                try check(chdf5_without_locking(access.id), name)
                defer { chdf5_with_locking() }
                id = unsafe H5Fopen(path, chdf5_acc_rdonly(), access.id)
                if id < 0 { throw FileDiagnosis.explain(path, as: name, ErrorFrame.takeAll()) }
            }
            return H5File(try H5Context(id, name: name, policy: policy))
        }
    }

    /// Creates a file, in place of any that is there unless `replacing` is false. Ends with `close()`.
    ///
    /// HDF5 has no journal: write to a temporary and rename it when it is whole. A disk that fills up, or any other
    /// write that fails, is the error of the call under way or of a later one, at the latest of `close()`.
    ///
    /// Without `locking` the file is known to this process alone, or the caller holds a lock on it that libhdf5's
    /// would collide with. Errors call the file `name`, which is what it will be when it is whole.
    package static func create(
        _ path: String, as name: String? = nil, replacing: Bool = true, locking: Bool = true
    ) throws(H5Error) -> H5File {
        let name = name ?? path
        return try H5Library.locked { () throws(H5Error) in
            let access = try Handle.properties(chdf5_property_file_access())
            if !locking { try check(chdf5_without_locking(access.id), path) }
            defer { if !locking { chdf5_with_locking() } }
            let health = try FileHealth(access.id)
            try check(H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG), path)
            let flags = replacing ? chdf5_acc_trunc() : chdf5_acc_excl()
            let id = unsafe H5Fcreate(path, flags, chdf5_default(), access.id)
            if id < 0, health.error != 0 { throw FileDiagnosis.writingError(name, health.error) }
            return H5File(try H5Context(id, name: name, health: health))
        }
    }

    /// Writes what is left and closes the file and all that was opened out of it: nothing of it may be used afterwards.
    ///
    /// Returning means that the file is whole, though not yet durable.
    package func close() throws(H5Error) {
        try context.locked { () throws(H5Error) in
            try check(H5Fclose(identifier), context.name)
        }
    }

    /// Writes everything that is still in the library's buffers.
    package func flush() throws(H5Error) {
        try context.locked { () throws(H5Error) in
            try check(H5Fflush(identifier, H5F_SCOPE_GLOBAL), context.name)
        }
    }

    /// The descriptor that libhdf5 reads a file on disk through: valid while this lives, never to be closed.
    package var descriptor: Int32? {
        let found = H5Library.locked { chdf5_descriptor(identifier) }
        return found >= 0 ? found : nil
    }
}

extension H5File {
    /// Whether the file at `path` is HDF5 by its signature, wherever a user block puts that. Throws where it cannot be read.
    package static func isHDF5(_ path: String) throws(H5Error) -> Bool {
        if let refusal = FileDiagnosis.refusal(of: path, as: path) { throw refusal }
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileDiagnosis.systemError(path, errno) }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileDiagnosis.systemError(path, errno) }
        return Superblock.find(descriptor, size: Int(status.st_size)) != nil
    }
}

/// What a file may make the program do beyond reading that file.
package struct AccessPolicy: Equatable, Sendable {
    /// Follow external links, and read external storage and virtual datasets over other files.
    package var allowsOtherFiles: Bool
    /// Load filter plug-ins from libhdf5's plug-in path.
    package var allowsPlugins: Bool
    /// Read datasets that claim far more than the file stores: what was never written reads as zeros.
    package var allowsUnstored: Bool

    package init(allowsOtherFiles: Bool = false, allowsPlugins: Bool = false, allowsUnstored: Bool = false) {
        self.allowsOtherFiles = allowsOtherFiles
        self.allowsPlugins = allowsPlugins
        self.allowsUnstored = allowsUnstored
    }

    /// Nothing but the file itself.
    package static let confined = AccessPolicy()
}

internal import CHDF5Shims

/// What libhdf5 or the file system refused, in words: what, where, why.
package struct H5Error: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// No such file.
        case noSuchFile
        /// A file, but not an HDF5 file.
        case notHDF5
        case directory
        /// An HDF5 file that is shorter than it says.
        case truncated
        /// Its chunks are not what their filters write.
        case damaged
        /// Held open by a writer.
        case locked
        case permission
        /// Stored with a filter that is not installed or not allowed to load.
        case missingFilter(id: Int, name: String)
        /// No object or attribute of that name; `nearby` is what there is instead (at most 32 names).
        case noSuchObject(nearby: [String])
        /// Something that the file's `AccessPolicy` does not allow.
        case refused
        /// A dataset that claims far more than the file stores.
        case unstored
        /// The object exists but is of another kind, type or shape than asked for.
        case mismatch
        /// Larger than the caller's limit.
        case tooLarge
        /// It exists already.
        case exists
        /// The system could not read a file; the `errno` value says why.
        case failedRead(Int32)
        /// A file could not be created or written; the `errno` value says why.
        case failedWrite(Int32)
        case other
    }

    package var kind: Kind
    /// Where: a file, or file and object as in "data/a.h5:/x". Safe to print.
    package var subject: String
    /// Why, in one line. Safe to print.
    package var reason: String

    package init(_ kind: Kind, _ subject: String, _ reason: String) {
        self.kind = kind
        self.subject = subject.printable
        self.reason = reason.printable
    }

    package var description: String { "\(subject): \(reason)" }
}

extension H5Error {
    /// The error that libhdf5's stack of this thread tells of; call inside the lock, right after the failing call.
    /// Throws where a call that libhdf5 has just refused failed for the disk's sake, and forgets any other reason.
    static func throwFailedRead(subject: String) throws(H5Error) {
        let error = fromStack(subject: subject)
        if case .failedRead = error.kind { throw error }
    }

    static func fromStack(subject: String) -> H5Error {
        let frames = ErrorFrame.takeAll()
        if chdf5_took_refusal() != 0 {
            return H5Error(
                .refused, subject, "leads through an external link into another file, which is not allowed here")
        }
        if let frame = frames.first(where: { $0.kind == CHDF5_NO_FILTER }) ?? frames.first(where: \.namesFilter) {
            return H5Error(.missingFilter(id: -1, name: "unknown"), subject, frame.description)
        }
        if let frame = frames.first(where: { $0.kind == CHDF5_CANNOT_LOCK }) {
            return H5Error(.locked, subject, frame.description)
        }
        if let failed = FileDiagnosis.systemError(subject, in: frames) { return failed }
        if frames.contains(where: { $0.kind == CHDF5_NO_MEMORY }) {
            return H5Error(
                .tooLarge, subject,
                "states a size that there is no memory for: the file is damaged, or made for a larger machine")
        }
        let root = frames.first?.description ?? "libhdf5 gave no reason"
        let outline = frames.last.map { $0.description }
        let reason = outline.map { $0 == root ? root : "\($0) (\(root))" } ?? root
        let kind: Kind =
            if frames.contains(where: { $0.kind == CHDF5_TRUNCATED }) {
                .truncated
            } else if frames.first?.kind != CHDF5_UNSUPPORTED, frames.contains(where: { $0.kind == CHDF5_DAMAGED }) {
                .damaged
            } else {
                .other
            }
        return H5Error(kind, subject, reason)
    }
}

/// One frame of libhdf5's error stack.
struct ErrorFrame {
    var kind: chdf5_error_class
    var function: String
    var description: String

    var namesFilter: Bool { description.contains("required filter") }

    /// Empties this thread's stack; the root cause comes first.
    static func takeAll() -> [ErrorFrame] {
        var frames: [ErrorFrame] = []
        unsafe withUnsafeMutablePointer(to: &frames) { into in
            unsafe chdf5_visit_errors(into) { context, kind, function, description in
                guard let context = unsafe context, let function = unsafe function, let description = unsafe description
                else { return }
                unsafe context.assumingMemoryBound(to: [ErrorFrame].self).pointee.append(
                    ErrorFrame(
                        kind: kind, function: String(cString: function), description: String(cString: description)))
            }
        }
        return frames
    }
}

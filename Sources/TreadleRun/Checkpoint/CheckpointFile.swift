internal import Foundation
package import TreadleBase

/// Checkpoint files: one HDF5 file behind a user block that vouches for it.
///
///     /layers/<name>/vars/{0,1}        kernel and bias, where Keras 3 looks for them
///     /model/<name>/{weight,bias}      the same arrays; attributes index, activation, dropout
///     /treadle                         attributes format, program_version, numerics, fingerprint, task, loss,
///                                      precision, base_directory, created
///     /treadle/config                  the resolved configuration as JSON text
///     /treadle/normalization/{shift,factor,target_shift,target_factor,imputation}
///     /treadle/{classes,columns}       texts, where the data has them
///     /treadle/{class_weights,image_shape}  where the loss or the data has them
///     /treadle/optimizer/<slot>/<name>/{weight,bias}   attributes step, slots
///     /treadle/{cursor,progress}       attributes
///     /treadle/history/{epoch,step,rate,seconds,metrics/<name>}   an element an epoch
package enum CheckpointFile {
    /// Writes the checkpoint, durably, in place of what is at `path`; returns the file's length.
    ///
    /// Needs as much memory as the file has bytes, besides the checkpoint itself.
    @discardableResult
    package static func write(
        _ checkpoint: Checkpoint, to path: String, calls: SystemCalls = SystemCalls()
    ) throws -> Int {
        let file = try EncodedCheckpoint(checkpoint)
        try file.write(to: path, calls: calls)
        return file.count
    }

    /// Reads a checkpoint of this user's own runs, in this process: one that may be anyone's is a `StoredCheckpoint`.
    ///
    /// No byte reaches libhdf5 before length and digest have been found right, and what it then says is believed only
    /// where it agrees with itself.
    ///
    /// Needs twice as much memory as the file has bytes, for a moment.
    package static func read(_ path: String) throws -> Checkpoint {
        let image = try VerifiedImage(readingFrom: path)
        return try CheckpointReader(image, path: path).read().checkpoint(in: image)
    }

    /// The same without the optimizer's memory: all that predicting needs.
    package static func readModel(_ path: String) throws -> Checkpoint {
        let image = try VerifiedImage(readingFrom: path)
        return try CheckpointReader(image, path: path).read().model(in: image)
    }

    /// Reads a checkpoint and finds all its numbers finite.
    package static func verify(_ path: String) throws -> Checkpoint {
        let checkpoint = try read(path)
        try checkpoint.checkFinite(path)
        return checkpoint
    }

    /// Whether the file at `path` is of a format newer than this program reads.
    package static func isNewer(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        guard let first = try? file.read(upToCount: UserBlock.size) else { return false }
        return UserBlock.declaredFormat(Array(first)).map { $0 > UserBlock.newestFormat } ?? false
    }
}

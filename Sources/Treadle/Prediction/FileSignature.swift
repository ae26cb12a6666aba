internal import Foundation

/// What a file is by its first bytes, whatever it is called.
package enum FileSignature {
    /// Whether `path` is an HDF5 file: its signature stands at 0, 512, 1024, … bytes.
    package static func isHDF5(_ path: String) throws -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw isThere
                ? TreadleError(.permission, "\(path) cannot be read; check its permissions")
                : TreadleError(.noInput, "\(path) does not exist")
        }
        defer { try? file.close() }
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        var offset: UInt64 = 0
        while true {
            do {
                try file.seek(toOffset: offset)
                guard let bytes = try file.read(upToCount: signature.count), bytes.count == signature.count else {
                    return false
                }
                if Array(bytes) == signature { return true }
            } catch {
                return false
            }
            offset = offset == 0 ? 512 : offset * 2
        }
    }
}

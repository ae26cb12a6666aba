internal import Glibc

/// The room on the file system that holds a directory.
package struct DiskSpace: Equatable, Sendable {
    /// Bytes that this user may still write.
    package var available: Int
    /// Bytes that the file system holds in all.
    package var total: Int

    package init(at directory: String) throws {
        var status = statvfs()
        guard unsafe statvfs(directory, &status) == 0 else {
            throw TreadleError.writing(directory, "statvfs", errno)
        }
        let block = UInt(status.f_frsize)
        available = DiskSpace.bytes(UInt(status.f_bavail), of: block)
        total = DiskSpace.bytes(UInt(status.f_blocks), of: block)
    }

    /// Some file systems without a limit report one that does not fit.
    private static func bytes(_ blocks: UInt, of size: UInt) -> Int {
        let (bytes, overflow) = blocks.multipliedReportingOverflow(by: size)
        return overflow ? .max : Int(clamping: bytes)
    }
}

extension Int {
    /// As people write amounts of memory and of disk: "1.5 GiB".
    package var asBytes: String {
        guard self >= 1024 else { return "\(self) bytes" }
        var value = Double(self)
        var unit = 0
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        value /= 1024
        while value >= 1024 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = (value * 10).rounded()
        return tenths >= 100 ? "\(Int(value.rounded())) \(units[unit])" : "\(tenths / 10) \(units[unit])"
    }
}

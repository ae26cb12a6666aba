internal import CHDF5Shims

/// The library underneath: its version.
package enum HDF5 {
    /// The version of libhdf5 that the program runs with, such as "1.10.8".
    package static var libraryVersion: String {
        var major: UInt32 = 0
        var minor: UInt32 = 0
        var release: UInt32 = 0
        unsafe H5get_libversion(&major, &minor, &release)
        return "\(major).\(minor).\(release)"
    }
}

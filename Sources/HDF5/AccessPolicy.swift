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

package import HDF5

extension TreadleError {
    /// What HDF5 or the file system refused, with the exit code for it.
    package init(_ error: H5Error) {
        let kind: Kind =
            switch error.kind {
            case .noSuchFile: .noInput
            case .permission: .permission
            case .locked: .tryAgain
            case .exists: .cannotCreate
            case .notHDF5, .truncated, .missingFilter, .noSuchObject, .refused, .mismatch, .tooLarge, .other: .badData
            }
        self.init(kind, error.description)
    }
}

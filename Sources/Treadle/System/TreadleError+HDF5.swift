package import HDF5

extension TreadleError {
    /// The same error, with the exit code that its kind has.
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

package import HDF5

extension TreadleError {
    /// What HDF5 or the file system refused, with what to do about it and the exit code for it.
    package init(_ error: H5Error) {
        if case .failedWrite(let number) = error.kind {
            self = .writing(error.subject, "write", number)
            return
        }
        if case .failedRead(let number) = error.kind {
            self = .reading(error.subject, "read", number)
            return
        }
        let (kind, advice): (Kind, String?) =
            switch error.kind {
            case .noSuchFile: (.noInput, "check the path")
            case .notHDF5: (.badData, "\"treadle import\" makes one from CSV, NPY or IDX")
            case .directory: (.badData, "name a file in it")
            case .truncated, .damaged: (.badData, "copy it again, or make it again")
            case .locked: (.tryAgain, nil)
            case .permission: (.permission, "check who may read and write it")
            case .missingFilter(_, let name):
                (
                    .badData,
                    "install its HDF5 plug-in and add \"\(name)\" to data.filters, or store it anew with h5repack"
                )
            case .noSuchObject: (.badData, nil)
            case .refused: (.badData, "set data.allow_external to true if you trust it")
            case .unstored:
                (.badData, "look at the file; if most of it is meant to be zeros, set data.allow_unstored to true")
            case .mismatch, .tooLarge, .failedRead, .failedWrite: (.badData, nil)
            case .exists: (.cannotCreate, "choose another name or remove it")
            case .other: (.badData, nil)
            }
        self.init(kind, advice.map { "\(error.description); \($0)" } ?? error.description)
    }
}

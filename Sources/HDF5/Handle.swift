internal import CHDF5Shims

/// The only owner of one of libhdf5's identifiers, which it closes.
struct Handle: ~Copyable, Sendable {
    enum Kind: Sendable { case file, object, dataset, attribute, type, space, properties }

    let id: hid_t
    private let kind: Kind

    /// Takes over `id`; a negative one is the failure that the error stack tells of.
    init(_ id: hid_t, _ kind: Kind, in subject: @autoclosure () -> String) throws(H5Error) {
        guard id >= 0 else { throw H5Error.fromStack(subject: subject()) }
        self.id = id
        self.kind = kind
    }

    deinit {
        let (id, kind) = (id, kind)
        H5Library.locked {
            switch kind {
            case .file: _ = chdf5_close_file(id)
            case .object: _ = H5Oclose(id)
            case .dataset: _ = H5Dclose(id)
            case .attribute: _ = H5Aclose(id)
            case .type: _ = H5Tclose(id)
            case .space: _ = H5Sclose(id)
            case .properties: _ = H5Pclose(id)
            }
        }
    }

    /// A new property list of a class such as `chdf5_property_dataset_create()`.
    static func properties(_ propertyClass: hid_t) throws(H5Error) -> Handle {
        try Handle(H5Pcreate(propertyClass), .properties, in: "libhdf5")
    }
}

/// Turns a failing status into the error that libhdf5's stack tells of; returns a good one.
@discardableResult
func check<Status: SignedInteger>(_ status: Status, _ subject: @autoclosure () -> String) throws(H5Error) -> Status {
    guard status >= 0 else { throw H5Error.fromStack(subject: subject()) }
    return status
}

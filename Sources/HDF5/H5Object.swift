internal import CHDF5Shims

/// An open object of an HDF5 file: something that can carry attributes.
package protocol H5Object: AnyObject, Sendable {
    /// libhdf5's number for it, valid while the object lives.
    var identifier: Int64 { get }
    var context: H5Context { get }
    /// Its name from the root, as it was opened.
    var path: String { get }
}

extension H5Object {
    /// How messages call it: "data/a.h5:/x".
    package var subject: String { context.subject(path).printable }

    /// The same for the same object, whatever name it was opened by.
    package var identity: H5Identity {
        get throws(H5Error) {
            try context.locked { () throws(H5Error) in
                var identity = chdf5_identity()
                try check(unsafe chdf5_identify(identifier, &identity), subject)
                return H5Identity(
                    file: UInt64(identity.file), address: identity.address, hardLinks: Int(clamping: identity.links))
            }
        }
    }
}

/// Which object it is, independent of its name.
package struct H5Identity: Hashable, Sendable {
    package var file: UInt64
    package var address: UInt64
    /// How many hard links lead to it; more than one: it may turn up again under another name.
    package var hardLinks: Int

    package static func == (left: H5Identity, right: H5Identity) -> Bool {
        left.file == right.file && left.address == right.address
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(file)
        hasher.combine(address)
    }
}

/// A name in a group, not followed.
package struct H5Link: Equatable, Sendable {
    package enum Kind: String, Codable, Sendable { case hard, soft, external, unknown }
    package var name: String
    package var kind: Kind
}

package final class H5Group: H5Container {
    package let context: H5Context
    package let path: String
    let handle: Handle
    package var identifier: Int64 { handle.id }

    init(_ handle: consuming Handle, _ path: String, _ context: H5Context) {
        self.handle = handle
        self.path = path
        self.context = context
    }
}

/// A type that the file gives a name to.
package final class H5NamedType: H5Object {
    package let context: H5Context
    package let path: String
    package let type: ElementType
    let handle: Handle
    package var identifier: Int64 { handle.id }

    init(_ handle: consuming Handle, _ path: String, _ context: H5Context) throws(H5Error) {
        type = try ElementType.describing(handle.id, in: context.subject(path))
        self.handle = handle
        self.path = path
        self.context = context
    }
}

/// An object whose kind is known only once it is open.
package enum H5Entity: Sendable {
    case group(H5Group)
    case dataset(H5Dataset)
    case type(H5NamedType)

    package var object: any H5Object {
        switch self {
        case .group(let group): group
        case .dataset(let dataset): dataset
        case .type(let type): type
        }
    }

    var kindName: String {
        switch self {
        case .group: "a group"
        case .dataset: "a dataset"
        case .type: "a named type"
        }
    }
}

internal import CHDF5Shims

/// An object that holds others by name: a file or a group.
///
/// Names are paths; those that begin with "/" count from the root.
package protocol H5Container: H5Object {}

extension H5Container {
    /// Opens an object of any kind. Soft links are followed, sixteen deep at most.
    package func open(_ name: String) throws(H5Error) -> H5Entity {
        try context.locked { () throws(H5Error) in
            let full = resolve(name)
            let id = unsafe H5Oopen(identifier, name, context.linkAccess.id)
            if id < 0 { throw missing(name, H5Error.fromStack(subject: context.subject(full))) }
            let handle = try Handle(id, .object, in: full)
            switch H5Iget_type(id) {
            case H5I_GROUP: return .group(H5Group(handle, full, context))
            case H5I_DATASET: return .dataset(try H5Dataset(handle, full, context))
            case H5I_DATATYPE: return .type(try H5NamedType(handle, full, context))
            default: throw H5Error(.other, context.subject(full), "is an object of unknown kind")
            }
        }
    }

    package func dataset(_ name: String) throws(H5Error) -> H5Dataset {
        let entity = try open(name)
        guard case .dataset(let dataset) = entity else {
            throw H5Error(.mismatch, context.subject(resolve(name)), "is \(entity.kindName), not a dataset")
        }
        return dataset
    }

    package func group(_ name: String) throws(H5Error) -> H5Group {
        let entity = try open(name)
        guard case .group(let group) = entity else {
            throw H5Error(.mismatch, context.subject(resolve(name)), "is \(entity.kindName), not a group")
        }
        return group
    }

    /// Whether an object can be opened by this name. Throws where the disk does not let it be known: what cannot be read is
    /// not absent.
    package func contains(_ name: String) throws(H5Error) -> Bool {
        try context.locked { () throws(H5Error) in
            let id = unsafe H5Oopen(identifier, name, context.linkAccess.id)
            guard id >= 0 else {
                try H5Error.throwFailedRead(subject: subject)
                return false
            }
            _ = try Handle(id, .object, in: name)
            return true
        }
    }

    /// The links in this group in order of their names, at most `limit` of them.
    package func links(limit: Int = .max) throws(H5Error) -> [H5Link] {
        try context.locked { () throws(H5Error) in
            var gathering = (links: [H5Link](), limit: limit)
            guard limit > 0 else { return [] }
            let status = unsafe withUnsafeMutablePointer(to: &gathering) { into in
                unsafe chdf5_visit_links(identifier, into) { context, name, kind in
                    guard let context = unsafe context, let name = unsafe name else { return -1 }
                    let into = unsafe context.assumingMemoryBound(to: (links: [H5Link], limit: Int).self)
                    unsafe into.pointee.links.append(H5Link(name: String(cString: name), kind: H5Link.Kind(kind)))
                    return unsafe into.pointee.links.count < into.pointee.limit ? 0 : 1
                }
            }
            try check(status, subject)
            return gathering.links
        }
    }

    /// Where a soft or external link of this group leads: "/x", or "other.h5:/x". Not followed.
    package func target(ofLink name: String) throws(H5Error) -> String {
        try context.locked { () throws(H5Error) in
            var (file, object) = ([CChar](repeating: 0, count: 4096), [CChar](repeating: 0, count: 4096))
            try check(
                unsafe chdf5_link_target(identifier, name, &file, &object, object.count),
                context.subject(resolve(name)))
            let text = { (bytes: [CChar]) in
                String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
            return file[0] == 0 ? text(object) : "\(text(file)):\(text(object))"
        }
    }

    /// How many links this group says it has.
    package var linkCount: Int {
        H5Library.locked { Int(clamping: chdf5_link_count(identifier)) }
    }

    /// Creates a group and the groups on the way to it.
    @discardableResult
    package func createGroup(_ name: String) throws(H5Error) -> H5Group {
        try context.locked { () throws(H5Error) in
            let full = resolve(name)
            let links = try linkCreation()
            let properties = try Handle.properties(chdf5_property_group_create())
            try check(H5Pset_obj_track_times(properties.id, false), full)
            let id = unsafe H5Gcreate2(identifier, name, links.id, properties.id, chdf5_default())
            return H5Group(try Handle(id, .object, in: context.subject(full)), full, context)
        }
    }

    /// Gives `object` of the same file another name.
    package func link(_ name: String, to object: any H5Object) throws(H5Error) {
        try context.locked { () throws(H5Error) in
            let links = try linkCreation()
            try check(
                unsafe H5Olink(object.identifier, identifier, name, links.id, chdf5_default()),
                context.subject(resolve(name)))
        }
    }

    /// Gives whatever is at `target`, now or later, another name.
    package func softLink(_ name: String, to target: String) throws(H5Error) {
        try context.locked { () throws(H5Error) in
            let links = try linkCreation()
            try check(
                unsafe H5Lcreate_soft(target, identifier, name, links.id, chdf5_default()),
                context.subject(resolve(name)))
        }
    }

    func linkCreation() throws(H5Error) -> Handle {
        let links = try Handle.properties(chdf5_property_link_create())
        try check(H5Pset_create_intermediate_group(links.id, 1), subject)
        return links
    }

    func resolve(_ name: String) -> String {
        if name.hasPrefix("/") { return name }
        return path == "/" ? "/" + name : path + "/" + name
    }

    /// What to say when `name` does not open: where the path ends, and what is there instead.
    private func missing(_ name: String, _ error: H5Error) -> H5Error {
        guard error.kind == .other else { return error }
        var parts = name.split(separator: "/")
        while let last = parts.popLast() {
            let parent = (name.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
            let id = unsafe H5Oopen(identifier, parent.isEmpty ? "." : parent, context.linkAccess.id)
            guard id >= 0, let handle = try? Handle(id, .object, in: parent) else { continue }
            guard H5Iget_type(id) == H5I_GROUP else { continue }
            let whole = resolve(parent)
            let group = H5Group(handle, whole, context)
            guard let near = try? group.links(limit: 33) else { break }
            // The name is there and leads nowhere, or to something broken.
            if let link = near.first(where: { $0.name == last }) {
                return link.kind == .soft
                    ? H5Error(
                        .noSuchObject(nearby: []), context.subject(resolve(name)),
                        "leads through a soft link that ends nowhere or in itself")
                    : error
            }
            let names = near.prefix(32).map { whole == "/" ? "/" + $0.name : whole + "/" + $0.name }
            let listed = names.prefix(12).joined(separator: ", ") + (near.count > 12 ? ", …" : "")
            return H5Error(
                .noSuchObject(nearby: names), context.subject(resolve(name)),
                names.isEmpty ? "no such object; \(whole) is empty" : "no such object; there is \(listed)")
        }
        return error
    }
}

extension H5Link.Kind {
    init(_ kind: chdf5_link_kind) {
        switch kind {
        case CHDF5_LINK_HARD: self = .hard
        case CHDF5_LINK_SOFT: self = .soft
        case CHDF5_LINK_EXTERNAL: self = .external
        default: self = .unknown
        }
    }
}

internal import HDF5

/// Walks a file depth first without trusting it: every object once, links not followed, everything counted.
struct FileTreeReader {
    let limits: FileTree.Limits
    private var nodes: [FileTree.Node] = []
    private var seen: [H5Identity: String] = [:]
    private var isCut = false

    init(limits: FileTree.Limits) { self.limits = limits }

    mutating func read(_ file: H5File) throws -> FileTree {
        let root = try file.group("/")
        var node = FileTree.Node(path: "/", depth: 0, kind: .group)
        seen[try root.identity] = "/"
        describeAttributes(of: root, in: &node)
        list(root, node)
        return FileTree(nodes: nodes, isCut: isCut)
    }

    /// What is still to be listed of a group.
    private struct Pending {
        var group: H5Group
        var path: String
        var depth: Int
        var links: ArraySlice<H5Link>
    }

    /// Lists `root` and what is in it. An own stack, because a hostile file nests deeper than the thread's reaches.
    private mutating func list(_ root: H5Group, _ node: FileTree.Node) {
        var pending = [enter(root, node)].compactMap { $0 }
        while var group = pending.popLast() {
            guard let link = group.links.popFirst() else { continue }
            guard nodes.count < limits.nodes else {
                isCut = true
                return
            }
            pending.append(group)
            let path = group.path == "/" ? "/" + link.name : group.path + "/" + link.name
            if let (inner, node) = add(link, at: path, in: group), let next = enter(inner, node) {
                pending.append(next)
            }
        }
    }

    /// Adds a group's node, and gathers its links as far as they can still be listed.
    private mutating func enter(_ group: H5Group, _ node: FileTree.Node) -> Pending? {
        var node = node
        defer { nodes.append(node) }
        let room = max(0, limits.nodes - nodes.count)
        do {
            let links = try group.links(limit: node.depth < limits.depth ? room : 0)
            node.omittedLinks = max(0, group.linkCount - links.count)
            if node.omittedLinks > 0 { isCut = true }
            return Pending(group: group, path: node.path, depth: node.depth, links: links[...])
        } catch {
            node.problem = error.description
            return nil
        }
    }

    /// Adds the node of a link; a group that has not been seen is returned with its node instead.
    private mutating func add(_ link: H5Link, at path: String, in parent: Pending) -> (H5Group, FileTree.Node)? {
        var node = FileTree.Node(path: path, depth: parent.depth + 1, kind: .unreadable)
        switch link.kind {
        case .soft, .external:
            node.kind = link.kind == .soft ? .softLink : .externalLink
            node.linkTarget = try? parent.group.target(ofLink: link.name)
        case .unknown: node.kind = .otherLink
        case .hard:
            do {
                let entity = try parent.group.open(link.name)
                let identity = try entity.object.identity
                node.kind = entity.nodeKind
                if let first = seen[identity] {
                    node.sameAs = first
                    node.isCycle = first == "/" || path.hasPrefix(first + "/")
                    break
                }
                seen[identity] = path
                describeAttributes(of: entity.object, in: &node)
                switch entity {
                case .group(let group): return (group, node)
                case .dataset(let dataset): node.array = describe(dataset)
                case .type(let type): node.type = shortened(type.type.description)
                }
            } catch {
                node.problem = error.description
            }
        }
        nodes.append(node)
        return nil
    }

    private func describe(_ dataset: H5Dataset) -> FileTree.ArrayDescription {
        FileTree.ArrayDescription(
            type: shortened(dataset.type.description), isNumeric: dataset.type.isNumeric, shape: dataset.shape,
            maxShape: dataset.maxShape, storage: dataset.storage, filters: dataset.filters,
            storedSize: dataset.storedSize)
    }

    private func describeAttributes(of object: some H5Object, in node: inout FileTree.Node) {
        do {
            let names = try object.attributeNames(limit: limits.attributes)
            node.omittedAttributes = max(0, try object.attributeCount - names.count)
            node.attributes = try names.map { name throws(H5Error) in try describe(try object.attribute(name)) }
        } catch {
            node.problem = error.description
        }
    }

    private func describe(_ attribute: H5Attribute) throws(H5Error) -> FileTree.Attribute {
        var described = FileTree.Attribute(
            name: attribute.name, type: shortened(attribute.type.description), shape: attribute.shape)
        guard let count = attribute.count, count <= limits.values else { return described }
        if attribute.type.isNumeric {
            described.numbers = try attribute.numbers(as: Double.self)
        } else if case .string = attribute.type {
            // Texts beyond the limit are left out, as arrays beyond theirs are.
            described.texts = try? attribute.strings(byteLimit: limits.text)
        }
        return described
    }

    private func shortened(_ text: String) -> String {
        text.utf8.count <= limits.text ? text : String(text.prefix(limits.text / 4)) + "…"
    }
}

extension H5Entity {
    fileprivate var nodeKind: FileTree.Node.Kind {
        switch self {
        case .group: .group
        case .dataset: .dataset
        case .type: .type
        }
    }
}

/// The index of a dataset's chunks, read from the file itself: the B-tree of version 1 that all files of the default
/// format have. libhdf5 1.10 has no call that walks it once.
///
/// Nothing is trusted: whatever does not fit gives nil, and no more is visited than the file has room for.
struct ChunkTree {
    var bytes: FileBytes
    /// What addresses in the file count from: the size of the user block.
    var base: Int
    var dimensions: Int

    /// The chunks of the dataset whose object header is at `header`, if there are exactly `count`.
    func table(header: Int, expecting count: Int) -> H5ChunkTable? {
        guard let root = layoutMessage(header: header).flatMap(root(inLayout:)) else { return nil }
        var table = H5ChunkTable(dimensions: dimensions)
        var pending = [(address: root, level: nil as Int?)]
        // No two nodes overlap in an honest file.
        var nodesLeft = bytes.count / 24
        while let (address, expected) = pending.popLast() {
            guard nodesLeft > 0, let node = node(at: address), expected == nil || node.level == expected else {
                return nil
            }
            nodesLeft -= 1
            if node.level > 0 {
                for entry in node.entries.reversed() { pending.append((entry.child, node.level - 1)) }
            } else {
                guard table.count + node.entries.count <= count else { return nil }
                for entry in node.entries {
                    guard let address = absolute(entry.child) else { return nil }
                    table.append(
                        origin: entry.origin, filterMask: entry.mask, address: address, size: entry.size)
                }
            }
        }
        return table.count == count ? table : nil
    }

    private struct Entry {
        var size: Int
        var mask: UInt32
        var origin: [Int]
        var child: Int
    }

    private func absolute(_ address: Int) -> Int? {
        let (sum, overflow) = address.addingReportingOverflow(base)
        return overflow ? nil : sum
    }

    private func read(_ address: Int, _ length: Int) -> [UInt8]? {
        absolute(address).flatMap { bytes.read($0, length) }
    }

    private func node(at address: Int) -> (level: Int, entries: [Entry])? {
        guard let head = read(address, 24), head.starts(with: Array("TREE".utf8)), head[4] == 1 else { return nil }
        let (level, used) = (Int(head[5]), head.number(6, 2))
        // Key: size, filter mask, coordinates and a zero for the element's bytes; then the child's address.
        let stride = 8 + (dimensions + 1) * 8 + 8
        guard let body = read(address &+ 24, used * stride) else { return nil }
        let entries = (0..<used).map { index in
            let at = index * stride
            return Entry(
                size: body.number(at, 4), mask: UInt32(body.number(at + 4, 4)),
                origin: (0..<dimensions).map { body.number(at + 8 + $0 * 8, 8) }, child: body.number(at + stride - 8, 8)
            )
        }
        return (level, entries)
    }

    /// The B-tree's address out of a layout message of versions 1 to 3.
    private func root(inLayout message: [UInt8]) -> Int? {
        guard message.count >= 11 else { return nil }
        switch message[0] {
        case 1, 2: return message.count >= 16 && message[2] == 2 ? message.number(8, 8) : nil
        case 3: return message[1] == 2 && Int(message[2]) == dimensions + 1 ? message.number(3, 8) : nil
        default: return nil
        }
    }

    /// The message of type 8 out of an object header of version 1 or 2 and its continuations.
    private func layoutMessage(header: Int) -> [UInt8]? {
        guard let start = read(header, 32) else { return nil }
        var blocks: [(address: Int, length: Int)]
        var isVersion2 = false
        var messageHead = 8
        if start[0] == 1 {
            blocks = [(header &+ 16, start.number(8, 4))]
        } else if start.starts(with: Array("OHDR".utf8)), start[4] == 2 {
            isVersion2 = true
            let flags = start[5]
            messageHead = flags & 0x04 != 0 ? 6 : 4
            let prefix = 6 + (flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0)
            let width = 1 << Int(flags & 3)
            guard prefix + width <= start.count else { return nil }
            blocks = [(header &+ prefix &+ width, start.number(prefix, width))]
        } else {
            return nil
        }
        var visited = 0
        while visited < blocks.count, visited < 64 {
            let (address, length) = blocks[visited]
            visited += 1
            guard length < 1 << 20, let block = read(address, length) else { return nil }
            var at = 0
            while at + messageHead <= block.count {
                let type = isVersion2 ? Int(block[at]) : block.number(at, 2)
                let size = block.number(at + (isVersion2 ? 1 : 2), 2)
                let body = at + messageHead
                guard body + size <= block.count else { break }
                if type == 8 { return Array(block[body..<body + size]) }
                if type == 0x10, size >= 16 {
                    let (next, nextLength) = (block.number(body, 8), block.number(body + 8, 8))
                    // A continuation of version 2 has a signature in front and a checksum behind.
                    blocks.append(isVersion2 ? (next &+ 4, nextLength - 8) : (next, nextLength))
                }
                at = body + size
            }
        }
        return nil
    }
}

extension [UInt8] {
    /// A little-endian number of up to eight bytes; those beyond `Int.max` come out as `Int.max`.
    fileprivate func number(_ at: Int, _ width: Int) -> Int {
        guard at >= 0, at + width <= count else { return .max }
        var value: UInt64 = 0
        for index in (0..<width).reversed() { value = value << 8 | UInt64(self[at + index]) }
        return Int(clamping: value)
    }
}

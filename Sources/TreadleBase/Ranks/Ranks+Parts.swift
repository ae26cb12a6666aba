extension Ranks {
    /// This rank's part of so many things in a row.
    package func part(of things: Int) -> Range<Int> { part(of: things, at: index) }

    package func part(of things: Int, at rank: Int) -> Range<Int> {
        rank * things / count..<(rank + 1) * things / count
    }

    /// The shards that this rank computes. Throws where ranks would have more of them than others.
    package func part(of shards: Shards) throws -> Shards {
        guard !isAlone else { return shards }
        guard shards.count.isMultiple(of: count) else {
            let fitting = (shards.count + count - 1) / count * count
            throw TreadleError(
                .configuration,
                "compute.shards is \(shards.count), which \(count) ranks cannot share: it must be a multiple of the number "
                    + "of ranks; start \(possible(shards.count)) ranks, or start over with compute.shards set to "
                    + "\(fitting)")
        }
        return Shards(part(of: shards.count), of: shards)
    }

    /// The same where so many members are trained: several are dealt out to the ranks, each with all of its shards.
    package func part(of shards: Shards, members: Int) throws -> Shards {
        guard members > 1 else { return try part(of: shards) }
        guard members >= count else {
            throw TreadleError(
                .configuration,
                "model.members is \(members), and \(count) ranks were started: each trains whole members, so \(count - members) "
                    + "would have none; start \(members) ranks at most, or raise model.members to \(count)")
        }
        return shards
    }

    /// The numbers of ranks that can share so many shards.
    private func possible(_ shards: Int) -> String {
        let counts = (1...shards).filter { shards.isMultiple(of: $0) }
        guard let last = counts.last, counts.count > 1 else { return "1" }
        return counts.dropLast().map(String.init).joined(separator: ", ") + " or \(last)"
    }
}

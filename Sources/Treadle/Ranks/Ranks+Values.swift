internal import CMPIShims
internal import Foundation

/// Values between ranks: what is small, or rare.
extension Ranks {
    /// The first rank's bytes at every rank; the others' must be as many.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
        guard !isAlone, let start = bytes.baseAddress else { return }
        // MPI counts in 32 bits.
        let piece = 1 << 28
        for offset in stride(from: 0, to: bytes.count, by: piece) {
            run { request in
                unsafe cmpi_broadcast(start + offset, Int32(min(piece, bytes.count - offset)), &request)
            }
        }
    }

    /// The first rank's numbers at every rank, in tensors of the same shapes.
    func broadcast(_ layers: inout [LayerParameters]) {
        for index in layers.indices {
            broadcast(&layers[index].weight)
            guard var bias = layers[index].bias else { continue }
            broadcast(&bias)
            layers[index].bias = bias
        }
    }

    private func broadcast(_ tensor: inout Tensor) {
        switch tensor.storage {
        case .float32(var values):
            unsafe values.withUnsafeMutableBytes { unsafe broadcast($0) }
            tensor.storage = .float32(values)
        case .float64(var values):
            unsafe values.withUnsafeMutableBytes { unsafe broadcast($0) }
            tensor.storage = .float64(values)
        }
    }

    /// Every rank's `own` numbers, by rank.
    func gather(_ own: [Double]) -> [[Double]] {
        let width = own.count
        var all = [Double](repeating: 0, count: width * count)
        all.replaceSubrange(index * width..<(index + 1) * width, with: own)
        let size = Int32(width * MemoryLayout<Double>.stride)
        let counts = [Int32](repeating: size, count: count)
        let starts = (0..<Int32(count)).map { $0 * size }
        unsafe all.withUnsafeMutableBytes { bytes in
            run { request in unsafe cmpi_all_gather(bytes.baseAddress, counts, starts, &request) }
        }
        return (0..<count).map { Array(all[$0 * width..<($0 + 1) * width]) }
    }

    /// Every rank's value, by rank.
    func collect<Value: Codable>(_ own: Value) throws -> [Value] {
        let bytes = try Ranks.encoder.encode([own])
        let sizes = gather([Double(bytes.count)]).map { Int($0[0]) }
        try check()
        let starts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        var all = [UInt8](repeating: 0, count: sizes.reduce(0, +))
        all.replaceSubrange(starts[index]..<starts[index] + bytes.count, with: bytes)
        let (counts, places) = (sizes.map(Int32.init), starts.map(Int32.init))
        unsafe all.withUnsafeMutableBytes { bytes in
            run { request in unsafe cmpi_all_gather(bytes.baseAddress, counts, places, &request) }
        }
        try check()
        return try zip(starts, sizes).map { start, size in
            try Ranks.decoded(all[start..<start + size])
        }
    }

    /// The first rank's value at every rank.
    func share<Value: Codable>(_ own: Value) throws -> Value {
        guard !isAlone else { return own }
        var bytes = isFirst ? [UInt8](try Ranks.encoder.encode([own])) : []
        var size = bytes.count
        unsafe withUnsafeMutableBytes(of: &size) { unsafe broadcast($0) }
        try check()
        if !isFirst { bytes = [UInt8](repeating: 0, count: size) }
        unsafe bytes.withUnsafeMutableBytes { unsafe broadcast($0) }
        try check()
        return isFirst ? own : try Ranks.decoded(bytes[...])
    }

    /// What the first rank decides.
    func decide(_ question: () throws -> Bool) throws -> Bool {
        try share(isFirst ? try question() : false)
    }

    /// The stop that any rank was asked for; every rank asks at the same places.
    func agreedStopSignal() throws -> String? {
        guard !isAlone else { return Interruption.stopSignal }
        let all = gather([Double(RankWishes.signals.rawValue)])
        try check()
        return RankWishes(rawValue: all.reduce(0) { $0 | UInt8($1[0]) }).stopSignal
    }

    // Property lists keep every bit of a number, which JSON does not promise.
    private static var encoder: PropertyListEncoder {
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .binary
        return encoder
    }

    private static func decoded<Value: Codable>(_ bytes: ArraySlice<UInt8>) throws -> Value {
        let values = try PropertyListDecoder().decode([Value].self, from: Data(bytes))
        guard let value = values.first else { throw TreadleError(.bug, "a rank sent no value") }
        return value
    }
}

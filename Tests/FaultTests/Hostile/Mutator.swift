import Foundation
import TestSupport
import TreadleBase

/// Changes bytes the way broken disks, cut transfers and bad people do; the same for the same seed.
struct Mutator {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 1) }

    private mutating func next(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    mutating func mutated(_ whole: Data) -> Data {
        var bytes = [UInt8](whole)
        for _ in 0..<1 + next(4) {
            // Half of all changes go where the structures begin.
            let place = next(next(2) == 0 ? min(2048, bytes.count) : bytes.count)
            let length = min(1 + next(16), bytes.count - place)
            switch next(8) {
            case 0: bytes[place] ^= 1 << UInt8(next(8))
            case 1: for index in place..<place + length { bytes[index] = UInt8(next(256)) }
            case 2: for index in place..<place + length { bytes[index] = 0xFF }
            case 3: for index in place..<place + length { bytes[index] = 0 }
            case 4:
                let from = next(bytes.count - length + 1)
                for index in 0..<length { bytes[place + index] = bytes[from + index] }
            case 5: bytes[place] = bytes[place] &+ 1
            case 6: bytes[place] = [0x7F, 0x80, 0x01, 0x20][next(4)]
            default: if next(4) == 0 { bytes.removeSubrange(max(place, 1)...) }
            }
        }
        return Data(bytes)
    }
}

/// A file whose header vouches for what follows on it, whatever that is: anyone can compute a digest.
func sealed(_ image: Data) -> Data {
    func digest(_ bytes: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.add(bytes)
        return hash.digest
    }
    func number(_ value: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var header = [0x89] + Array("TREADLE\r\n\u{1a}\n".utf8) + number(1, bytes: 4) + number(image.count, bytes: 8)
    header += digest([UInt8](image)) + Array("0.1.0".utf8)
    header += [UInt8](repeating: 0, count: 80 - header.count)
    header += digest(header)
    return Data(header + [UInt8](repeating: 0, count: 512 - header.count)) + image
}

import TreadleBase

@testable import TreadleRun

/// A header, and the file behind it. Anyone can compute a digest: it is put right, unless the first byte says not to.
func readCheckpoint(_ bytes: [UInt8]) throws {
    guard let order = bytes.first else { return }
    var bytes = Array(bytes.dropFirst())
    if order & 1 == 0, bytes.count >= UserBlock.size {
        if order & 2 == 0 {
            let length = bytes.count - UserBlock.size
            for place in 0..<8 { bytes[16 + place] = UInt8(truncatingIfNeeded: length >> (8 * place)) }
            bytes.replaceSubrange(24..<56, with: digest(bytes[UserBlock.size...]))
        }
        bytes.replaceSubrange(80..<112, with: digest(bytes[..<80]))
    }
    let block = try UserBlock(Array(bytes.prefix(UserBlock.size)), of: "a.h5", fileSize: bytes.count)
    precondition(block.imageLength == bytes.count - UserBlock.size, "the length is the file's")
    let file = MemoryFile(bytes)
    let sealed = try SealedFile(file.path)
    precondition(sealed.header == block, "the same header")
    try sealed.checkDigest()
}

private func digest(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var hash = SHA256()
    hash.add(Array(bytes))
    return hash.digest
}

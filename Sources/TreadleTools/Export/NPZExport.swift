internal import CZlib
internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// A model as NPZ: a ZIP file, not compressed, of one NPY array each.
struct NPZExport {
    private var directory: [UInt8] = []
    private var offset = 0
    private var count = 0

    static func write(_ model: TrainedModel, to file: inout DurableFile) throws {
        var archive = NPZExport()
        for (name, tensor) in model.saved.exportedTensors {
            let isWide = if case .float64 = tensor.storage { true } else { false }
            try archive.add(name, isWide ? "<f8" : "<f4", tensor.shape, tensor.littleEndianBytes, to: &file)
        }
        for (name, texts) in [("classes", model.saved.classes), ("columns", model.saved.columns)] {
            guard let texts, !texts.isEmpty else { continue }
            let width = max(1, texts.map(\.unicodeScalars.count).max() ?? 1)
            let bytes = texts.flatMap { text in
                let scalars =
                    text.unicodeScalars.map(\.value) + [UInt32](repeating: 0, count: width - text.unicodeScalars.count)
                return scalars.flatMap { scalar in (0..<4).map { UInt8(truncatingIfNeeded: scalar >> ($0 * 8)) } }
            }
            try archive.add(name, "<U\(width)", [texts.count], bytes, to: &file)
        }
        try archive.finish(&file)
    }

    private mutating func add(
        _ name: String, _ type: String, _ shape: [Int], _ elements: [UInt8], to file: inout DurableFile
    ) throws {
        let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }"
        text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
        let content = NPY.magic + [1, 0] + little(text.utf8.count, 2) + Array(text.utf8) + elements
        guard content.count < 0xffff_ffff, offset < 0xffff_ffff else {
            throw TreadleError(.badData, "NPZ is written up to 4 GB; export this model as .safetensors")
        }
        let checksum = unsafe content.withUnsafeBufferPointer { unsafe crc32_z(0, $0.baseAddress, $0.count) }
        let fileName = Array("\(name).npy".utf8)
        // Version 2.0, no flags, stored, 1 January 1980: equal models give equal files.
        let common =
            little(20, 2) + little(0x800, 2) + little(0, 2) + little(0, 2) + little(0x21, 2) + little(Int(checksum), 4)
            + little(content.count, 4) + little(content.count, 4) + little(fileName.count, 2) + little(0, 2)
        directory += little(0x0201_4b50, 4) + little(20, 2) + common
        directory += little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(offset, 4) + fileName
        let header = little(0x0403_4b50, 4) + common + fileName
        try file.write(header)
        try file.write(content)
        offset += header.count + content.count
        count += 1
    }

    private func finish(_ file: inout DurableFile) throws {
        try file.write(
            directory + little(0x0605_4b50, 4) + little(0, 4) + little(count, 2) + little(count, 2)
                + little(directory.count, 4) + little(offset, 4) + little(0, 2))
    }

    private func little(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}

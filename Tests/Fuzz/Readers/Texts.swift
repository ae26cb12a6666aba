import TreadleBase
import TreadleConfiguration
import TreadleModel

@testable import TreadleData

/// A configuration that is accepted is written out and read again, as a checkpoint does with it: the same one comes back.
func readConfiguration(_ bytes: [UInt8]) throws {
    var problems = Problems()
    let node = JSON5Reader.read(bytes, problems: &problems) { .file("job.json5", line: $0, column: $1) }
    precondition(node != nil || !problems.isEmpty, "what is refused has a reason")
    let configuration = try Configuration(json5: String(decoding: bytes, as: UTF8.self), baseDirectory: "/")
    let again = try? Configuration(json5: configuration.resolvedText, baseDirectory: "/")
    precondition(again?.resolvedText == configuration.resolvedText, "it differs when it is read again")
}

/// A schema that is accepted describes inputs, and is written as it was read.
func readSchema(_ bytes: [UInt8]) throws {
    let schema = try TableSchema(text: String(decoding: bytes, as: UTF8.self), of: "data.h5:/schema")
    precondition(schema.inputs.count == schema.inputWidth && schema.storedWidth >= schema.columns.count, "its widths")
    let again = try? TableSchema(text: schema.text, of: "data.h5:/schema")
    precondition(again == schema, "it differs when it is read again")
}

/// What is surveyed in a table is what is then parsed of it, however it is cut into blocks.
func readTable(_ bytes: [UInt8]) throws {
    let file = MemoryFile(bytes)
    let options = TableOptions(targets: ["-1"])
    let workers = Workers(count: 1)
    let parts = try TableParts([file.path], options, like: nil, workers: workers)
    let request = try TableRequest(parts, options, ignoresTargets: false, needsTarget: true)
    var survey = request.survey
    try forEachBlock(parts, capacity: 1 << 16) { block, skip in
        var found = request.survey
        try found.add(block, skip: skip, parts.formats[0], order: parts.orders[0], path: file.path)
        survey.merge(found, block, path: file.path)
    }
    let plan = try request.plan(survey, parts, float64: false)
    for capacity in [64, 1 << 16] {
        let parsed = ParsedBlock<Float>()
        var rows = 0
        try forEachBlock(parts, capacity: capacity) { block, skip in
            try parsed.parse(block, skip: skip, plan.layouts[0], path: file.path)
            rows += parsed.rows
        }
        precondition(rows == plan.rows, "\(rows) rows in blocks of \(capacity) where \(plan.rows) were found")
    }
}

private func forEachBlock(
    _ parts: TableParts, capacity: Int, _ body: (_ block: RecordBlock, _ skip: Int) throws -> Void
) throws {
    let cutter = RecordCutter(try ByteSource(text: parts.files[0]), delimiter: parts.formats[0].delimiter)
    let block = RecordBlock(capacity: capacity)
    var skip = parts.formats[0].hasHeader ? 1 : 0
    while try cutter.next(block) {
        try body(block, skip)
        skip = 0
    }
}

internal import TreadleBase
internal import TreadleModel

/// An ONNX graph under construction: nodes in order, each value by its name.
///
/// The numbers are fields and enumerations of onnx.proto3.
struct ONNXGraph {
    enum Element: Int { case float = 1, int64 = 7, bfloat16 = 16 }

    private var nodes: [ProtocolBuffer] = []
    private var initializers: [ProtocolBuffer] = []
    private var outputs: [ProtocolBuffer] = []
    private var count = 0

    /// Adds a constant and returns its name.
    mutating func constant(_ name: String, _ values: [Float], shape: [Int]) -> String {
        constant(name, .float, shape, values.littleEndianBytes)
    }

    /// The same of numbers in bfloat16, by their bits.
    mutating func constant(_ name: String, bfloat16 bits: [UInt16], shape: [Int]) -> String {
        constant(name, .bfloat16, shape, bits.flatMap { ProtocolBuffer.littleEndian($0) })
    }

    /// Adds a list of integers and returns its name.
    mutating func constant(_ name: String, _ values: [Int]) -> String {
        constant(name, .int64, [values.count], values.flatMap { ProtocolBuffer.littleEndian(Int64($0)) })
    }

    private mutating func constant(_ name: String, _ element: Element, _ shape: [Int], _ bytes: [UInt8]) -> String {
        var tensor = ProtocolBuffer()
        for extent in shape { tensor.append(field: 1, integer: extent) }
        tensor.append(field: 2, integer: element.rawValue)
        tensor.append(field: 8, text: name)
        tensor.append(field: 9, bytes: bytes)
        initializers.append(tensor)
        return name
    }

    /// Adds an operation on `inputs` and returns its result's name, which is made up unless given.
    mutating func node(
        _ operation: String, _ inputs: [String], result: String? = nil, integers: [(String, Int)] = [],
        floats: [(String, Float)] = [], texts: [(String, String)] = []
    ) -> String {
        count += 1
        let name = result ?? "\(operation.lowercased())_\(count)"
        var node = ProtocolBuffer()
        for input in inputs { node.append(field: 1, text: input) }
        node.append(field: 2, text: name)
        node.append(field: 3, text: "node_\(count)")
        node.append(field: 4, text: operation)
        for (key, value) in integers {
            var attribute = ProtocolBuffer()
            attribute.append(field: 1, text: key)
            attribute.append(field: 3, integer: value)
            attribute.append(field: 20, integer: 2)
            node.append(field: 5, message: attribute)
        }
        for (key, value) in floats {
            var attribute = ProtocolBuffer()
            attribute.append(field: 1, text: key)
            attribute.append(field: 2, float: value)
            attribute.append(field: 20, integer: 1)
            node.append(field: 5, message: attribute)
        }
        for (key, value) in texts {
            var attribute = ProtocolBuffer()
            attribute.append(field: 1, text: key)
            attribute.append(field: 4, text: value)
            attribute.append(field: 20, integer: 3)
            node.append(field: 5, message: attribute)
        }
        nodes.append(node)
        return name
    }

    /// Makes the value of this name a result of the graph: N rows of `width` elements, or N elements.
    mutating func output(_ name: String, _ element: Element, width: Int?) {
        outputs.append(ONNXGraph.value(name, element, width: width))
    }

    /// The whole model, whose one input is N rows of `width` floats.
    func model(input: String, width: Int, name: String, metadata: [(String, String)]) -> [UInt8] {
        var graph = ProtocolBuffer()
        for node in nodes { graph.append(field: 1, message: node) }
        graph.append(field: 2, text: name)
        for initializer in initializers { graph.append(field: 5, message: initializer) }
        graph.append(field: 11, message: ONNXGraph.value(input, .float, width: width))
        for output in outputs { graph.append(field: 12, message: output) }

        var operators = ProtocolBuffer()
        operators.append(field: 1, text: "")
        operators.append(field: 2, integer: 17)
        var model = ProtocolBuffer()
        model.append(field: 1, integer: 8)
        model.append(field: 2, text: "treadle")
        model.append(field: 3, text: Treadle.version)
        model.append(field: 7, message: graph)
        model.append(field: 8, message: operators)
        for (key, value) in metadata {
            var entry = ProtocolBuffer()
            entry.append(field: 1, text: key)
            entry.append(field: 2, text: value)
            model.append(field: 14, message: entry)
        }
        return model.bytes
    }

    private static func value(_ name: String, _ element: Element, width: Int?) -> ProtocolBuffer {
        var rows = ProtocolBuffer()
        rows.append(field: 2, text: "N")
        var shape = ProtocolBuffer()
        shape.append(field: 1, message: rows)
        if let width {
            var columns = ProtocolBuffer()
            columns.append(field: 1, integer: width)
            shape.append(field: 1, message: columns)
        }
        var tensor = ProtocolBuffer()
        tensor.append(field: 1, integer: element.rawValue)
        tensor.append(field: 2, message: shape)
        var type = ProtocolBuffer()
        type.append(field: 1, message: tensor)
        var value = ProtocolBuffer()
        value.append(field: 1, text: name)
        value.append(field: 2, message: type)
        return value
    }
}

extension Array where Element: Scalar {
    /// Their bits, the least byte first, as every machine that Swift runs on here keeps them.
    var littleEndianBytes: [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }
}

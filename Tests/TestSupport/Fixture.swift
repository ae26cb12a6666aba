internal import Foundation
internal import TreadleBase
package import TreadleModel

/// Reference values that the scripts in Scripts/fixtures made, and digests: what lies in Tests/Fixtures.
package enum Fixture {
    package static func path(_ name: String) -> String { SourceTree.root + "/Tests/Fixtures/" + name }

    package static func decoded<Value: Decodable>(_ name: String) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(contentsOf: URL(fileURLWithPath: path(name))))
        } catch {
            fatalError("the fixture \(name) cannot be read: \(error)")
        }
    }

    /// Numbers between −1 and 1 by a formula that the scripts have too, another list for each `series`.
    package static func numbers<S: Scalar>(_ series: Int, _ count: Int) -> [S] {
        (0..<count).map { i in
            let mixed = (31 * i * i + 7919 * i + 104_729 * series) % 65_537
            return S(mixed - 32_768) / 32_768
        }
    }

    /// The parameters that every run of the scripts starts from.
    package static func start<S: Scalar>(_ network: Network, _: S.Type) -> [LayerParameters] {
        network.layers.enumerated().map { index, layer in
            let weight: [S] = numbers(2 * index, layer.inputs * layer.units).map { $0 / 2 }
            let bias: [S] = numbers(2 * index + 1, layer.units).map { $0 / 8 }
            return LayerParameters(
                name: layer.name, weight: S.tensor(weight, shape: [layer.inputs, layer.units]),
                bias: layer.hasBias ? S.tensor(bias, shape: [layer.units]) : nil)
        }
    }
}

import Foundation
import Testing

/// Reference values that the scripts in Scripts/fixtures made.
enum Fixture {
    static func decoded<Value: Decodable>(_ name: String) -> Value {
        do {
            let url = try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
            return try JSONDecoder().decode(Value.self, from: Data(contentsOf: url))
        } catch {
            fatalError("the fixture \(name) cannot be read: \(error)")
        }
    }
}

import HDF5
import TestSupport
import TreadleBase
@testable import TreadleData
@testable import TreadleModel

/// A table of four columns in words, and the file that its import would make: codes by one vocabulary or another.
struct SampleTable {
    struct Row {
        /// Missing: nil.
        var age: Double?
        var city: String?
        var isMember: Bool
        /// Days since 2026-01-01.
        var day: Double
    }

    var rows: [Row]

    /// Rows that any number decides; every ninth age and every eleventh city is missing.
    init(rows count: Int, cities: [String] = ["Rome", "Oslo", "Lima"]) {
        rows = (0..<count).map { row -> Row in
            let age: Double? = row % 9 == 4 ? nil : Double(20 + row * 7 % 50) + 0.5
            let city: String? = row % 11 == 6 ? nil : cities[row * 5 % cities.count]
            return Row(age: age, city: city, isMember: row % 3 == 0, day: Double(row % 400) - 17)
        }
    }

    static let cities = ["Lima", "Oslo", "Rome"]

    static func schema(
        cities: [String] = cities, hasOther: Bool = true, hasMissing: Bool = true, origin: String = "2026-01-01",
        order: [String] = ["age", "city", "member", "day"]
    ) -> TableSchema {
        let columns: [TableSchema.Column] = [
            .init(name: "age", kind: .number(.init(), indicator: true)),
            .init(name: "city", kind: .category(values: cities, hasOther: hasOther, hasMissing: hasMissing)),
            .init(name: "member", kind: .flag(no: "no", yes: "yes")),
            .init(name: "day", kind: .date(parts: [.days, .weekdaySine], origin: origin, format: nil)),
        ]
        return TableSchema(columns: order.compactMap { name in columns.first { $0.name == name } })
    }

    /// What `/x` holds of a row.
    static func stored(_ row: Row, _ schema: TableSchema) -> [Double] {
        schema.columns.flatMap { column -> [Double] in
            switch (column.name, column.kind) {
            case ("age", _): [row.age ?? .nan]
            case ("member", _): [row.isMember ? 1 : 0]
            case ("day", .date(_, let origin, _)):
                [row.day - (Day.distance(from: "2026-01-01", to: origin) ?? .nan), weekday(row)]
            case (_, .category(let values, _, _)): [code(row.city, values)]
            default: [Double(row.day)]
            }
        }
    }

    private static func code(_ city: String?, _ values: [String]) -> Double {
        guard let city else { return 1 }
        return values.firstIndex(of: city).map { Double(2 + $0) } ?? 0
    }

    private static func weekday(_ row: Row) -> Double { Double(Int(row.day + 700) % 7) / 8 }

    /// What a network that has learnt by `schema()` reads of a row.
    static func inputs(_ row: Row) -> [Double] {
        let city = row.city
        let known: [Double] = cities.map { $0 == city ? 1 : 0 }
        let isOther = city.map { !cities.contains($0) } ?? false
        var inputs: [Double] = [row.age ?? .nan, row.age == nil ? 1 : 0]
        inputs += known
        inputs += [isOther ? 1 : 0, city == nil ? 1 : 0]
        inputs += [row.isMember ? 1 : 0, row.day, weekday(row)]
        return inputs
    }

    func write(
        _ path: String, _ schema: TableSchema = schema(), as type: ElementType = .float32, chunk: [Int]? = nil,
        text: String? = nil, labels: [Int32]? = nil
    ) throws {
        let file = try H5File.create(path)
        try file.write(
            rows.flatMap { Self.stored($0, schema) }, to: "x", shape: [rows.count, schema.storedWidth], as: type,
            options: DatasetOptions(chunk: chunk, deflate: chunk == nil ? nil : 4, shuffle: chunk != nil))
        try file.write(labels ?? rows.indices.map { Int32($0 % 3 == 1 ? 1 : 0) }, to: "y")
        try file.write(text: text ?? schema.text, to: "schema")
        try file.close()
    }
}

import Testing
@testable import TreadleData
@testable import TreadleModel

/// Numbers as people write them.
@Suite struct NumberTextTests {
    private func value(_ text: String, _ form: TableSchema.NumberForm) -> Double? {
        ShortText(Array(text.utf8).span).flatMap { NumberText($0) }?.value(form, as: Double.self)
    }

    private func form(_ texts: [String]) -> TableSchema.NumberForm? {
        var forms = NumberText.Forms.all
        var sign: String?
        for text in texts {
            guard let number = ShortText(Array(text.utf8).span).flatMap({ NumberText($0) }) else { return nil }
            forms = number.forms(among: forms)
            sign = number.sign ?? sign
        }
        return TableSchema.NumberForm(forms, sign: sign)
    }

    @Test(arguments: [
        ("1,234.5", TableSchema.NumberForm(thousands: ","), 1234.5),
        ("1.234.567,5", .init(decimalComma: true, thousands: "."), 1_234_567.5),
        ("12,5", .init(decimalComma: true), 12.5), ("-12,5", .init(decimalComma: true), -12.5),
        ("1'234.5", .init(thousands: "'"), 1234.5), ("1’234", .init(thousands: "'"), 1234),
        ("1 234 567", .init(thousands: " "), 1_234_567),
        ("1\u{a0}234,5", .init(decimalComma: true, thousands: " "), 1234.5),
        ("1\u{202f}234", .init(thousands: " "), 1234), ("$1,200", .init(thousands: ",", sign: "$"), 1200),
        ("-$5", .init(sign: "$"), -5), ("$-5", .init(sign: "$"), -5), ("5 €", .init(sign: "€"), 5),
        ("€ 5", .init(sign: "€"), 5), ("7.5%", .init(sign: "%"), 7.5), ("7.5 %", .init(sign: "%"), 7.5),
        ("USD 3", .init(sign: "USD"), 3), ("5", .init(sign: "$"), 5), ("1e3", .init(sign: "$"), 1000),
        (".5", .init(), 0.5),
        ("1234", .init(thousands: ","), 1234),
    ])
    func `each form gives the number that it stands for`(text: String, form: TableSchema.NumberForm, number: Double) {
        #expect(value(text, form) == number, "\(text)")
    }

    @Test(arguments: [
        ("1,23.5", TableSchema.NumberForm(thousands: ",")), ("12,34,567", .init(thousands: ",")),
        (",123", .init(thousands: ",")),
        ("1,234,", .init(thousands: ",")), ("1234,567", .init(thousands: ",")), ("1.2.3", .init()),
        ("$5", .init(sign: "€")),
        ("$", .init(sign: "$")), ("--5", .init()), ("5-", .init()), ("1 2", .init(thousands: " ")), ("", .init()),
        ("%", .init(sign: "%")),
        ("1,2,3", .init(decimalComma: true)), ("e5", .init()), ("1e", .init()),
    ])
    func `what does not fit a form is no number`(text: String, form: TableSchema.NumberForm) {
        #expect(value(text, form) == nil, "\(text)")
    }

    @Test func `a form is the simplest that all numbers have`() {
        #expect(form(["1", "2.5"]) == .init())
        #expect(form(["1,234.5", "7"]) == .init(thousands: ","))
        #expect(form(["1.234,5", "7"]) == .init(decimalComma: true, thousands: "."))
        #expect(form(["1,5", "7,25"]) == .init(decimalComma: true))
        #expect(form(["1,5", "7.25"]) == nil)
        #expect(form(["$1,000", "$2"]) == .init(thousands: ",", sign: "$"))
    }
}

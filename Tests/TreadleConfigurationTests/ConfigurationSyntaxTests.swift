import Foundation
import Testing
import TreadleBase
import TreadleConfiguration

/// The reader of JSON5, seen through configurations.
@Suite struct ConfigurationSyntaxTests {
    /// The number or text that a piece of JSON5 stands for, in a setting that takes it.
    private func learningRate(_ text: String) throws -> Double {
        try Job.parse("{name:'n',data:{train:'t'},model:{hidden:[]},optimizer:{lr:\(text)}}").optimizer.lr
    }

    private func name(_ text: String) throws -> String {
        try Job.parse("{name:\(text),data:{train:'t'},model:{hidden:[]}}").name
    }

    @Test(
        arguments: [
            ("1", 1), ("+1", 1), (".5", 0.5), ("5.", 5), ("+.5e1", 5), ("1e-3", 0.001), ("1E+2", 100), ("0x1F", 31),
            ("0Xff", 255), ("+0x10", 16), ("0.1", 0.1), ("0e5", nil), ("2.5E0", 2.5),
        ] as [(String, Double?)])
    func `numbers are read as JSON5 writes them`(text: String, value: Double?) throws {
        guard let value else {
            #expect(throws: TreadleError.self) { try learningRate(text) }
            return
        }
        #expect(try learningRate(text) == value)
    }

    @Test(arguments: [("1e3", 1000), ("0x10", 16), ("16.0", 16), ("+7", 7)])
    func `integers may be written in any way that says one`(text: String, value: Int) throws {
        #expect(
            try Job.parse("{name:'n',data:{train:'t',batch_size:\(text)},model:{hidden:[]}}").data.batchSize == value)
    }

    @Test func `seeds are exact up to the largest`() throws {
        for text in ["18446744073709551615", "0xFFFFFFFFFFFFFFFF"] {
            #expect(try Job.parse("{seed:\(text),name:'n',data:{train:'t'},model:{hidden:[]}}").seed == .max)
        }
        #expect(
            Job.errors(Job.short, set: ["seed=18446744073709551616"]) == [
                "--set seed=18446744073709551616: seed must be an integer from 0 to 18446744073709551615; "
                    + "found 18446744073709551616"
            ])
    }

    @Test(
        arguments: [
            (#""a\tb""#, nil), (#"'it\'s'"#, "it's"), (#""say \"x\"""#, "say \"x\""), (#""\u0041\x42C""#, "ABC"),
            (#""\ud83d\ude00""#, "😀"), ("\"one\\\ntwo\"", "onetwo"), ("\"one\\\r\ntwo\"", "onetwo"), (#""\q""#, "q"),
            ("'é漢😀'", "é漢😀"), (#""back\\slash""#, #"back\slash"#), ("\"a\u{2028}b\"", "a\u{2028}b"),
        ] as [(String, String?)])
    func `texts are read as JSON5 writes them`(text: String, value: String?) throws {
        guard let value else {
            // A control character is right in a text, but not in a name.
            #expect(throws: TreadleError.self) { try name(text) }
            return
        }
        #expect(try name(text) == value)
    }

    @Test func `keys need no quotes, and space and comments are free`() throws {
        let text = """
            \u{FEFF}/* before */ {\u{A0}name\u{2003}:\t"n", // one
            'data': {"train": ["t",],}, \\u006dodel: {hidden:\u{0B}[/*none*/],},\r\n}
            // after
            """
        #expect(try Job.parse(text).name == "n")
    }

    @Test(
        arguments: [
            ("", "1:1: the file is empty; a configuration is an object { … }"),
            ("  // nothing\n", "2:1: the file is empty; a configuration is an object { … }"),
            ("[]", "1:1: a configuration must be an object { … }; found an empty list"),
            ("12", "1:1: a configuration must be an object { … }; found 12"),
            ("{", "1:2: the object that begins at 1:1 is never closed; add \"}\""),
            ("{a", "1:3: expected \":\" after the key \"a\", found the end"),
            ("{a:", "1:4: expected a value, found the end"),
            ("{a:1", "1:5: the object that begins at 1:1 is never closed; add \"}\""),
            ("{a:1,", "1:6: the object that begins at 1:1 is never closed; add \"}\""),
            ("{\n  a: [1,\n", "3:1: the list that begins at 2:6 is never closed; add \"]\""),
            ("{a:[1", "1:6: the list that begins at 1:4 is never closed; add \"]\""),
            ("{a:[1 2]}", "1:7: expected \",\" or \"]\" in the list, found \"2\""),
            ("{a:[,]}", "1:5: expected a value, found \",\""),
            ("{,}", "1:2: expected a key or \"}\", found \",\""),
            ("{1:2}", "1:2: expected a key or \"}\", found \"1\""),
            ("{a b}", "1:4: expected \":\" after the key \"a\", found \"b\""),
            ("{a:1 b:2}", "1:6: expected \",\" or \"}\" after the value of \"a\", found \"b\""),
            ("{a:1}}", "1:6: expected the end after the value, found \"}\""),
            ("{task: regression}", "1:8: unknown word \"regression\"; text needs quotes: \"regression\""),
            ("{every: 10m}", "1:11: unexpected \"m\" after the number 10; text needs quotes"),
            ("{a: 1.2.3}", "1:8: unexpected \".\" after the number 1.2; text needs quotes"),
            ("{a: 01}", "1:5: a number does not start with 0; remove the leading zeros"),
            ("{a: 0x}", "1:5: \"0x\" lacks its digits"),
            ("{a: 0xg}", "1:5: \"0x\" lacks its digits"),
            ("{a: 1e}", "1:5: \"1e\" lacks the digits of its exponent"),
            ("{a: 1e999}", "1:5: the number 1e999 is too large"),
            ("{a: +}", "1:5: expected a number, found \"+\""),
            ("{a: .}", "1:5: expected a number, found \".\""),
            ("{a: -x}", "1:5: expected a number after \"-\", found \"x\""),
            ("{a: 'x}", "1:5: this text is never closed; add ' at its end"),
            ("{a: \"x\n\"}", "1:5: this text is never closed; add \" at its end"),
            (#"{a: "\u12"}"#, "1:6: this escape needs 4 hexadecimal digits"),
            (#"{a: "\xg1"}"#, "1:6: this escape needs 2 hexadecimal digits"),
            (
                #"{a: "\ud800"}"#,
                "1:6: this escape is half of a surrogate pair; give both halves or the character itself"
            ),
            (
                #"{a: "\udc00"}"#,
                "1:6: this escape is half of a surrogate pair; give both halves or the character itself"
            ),
            (
                #"{a: "\ud800A"}"#,
                "1:6: this escape is half of a surrogate pair; give both halves or the character itself"
            ),
            (#"{a: "\01"}"#, "1:6: unknown escape \"\\01\"; write \"\\u0000\""),
            (#"{a: "\1"}"#, "1:6: unknown escape \"\\1\"; a backslash itself is written \"\\\\\""),
            (#"{a: "\"#, "1:6: the file ends within an escape"),
            (#"{\x61: 1}"#, "1:2: a key without quotes takes \\u escapes only"),
            (#"{\u0031: 1}"#, "1:2: this character needs a key in quotes"),
            ("{a: 1 /* }", "1:7: this comment is never closed; add \"*/\""),
            ("{a: 1 / 2}", "1:7: expected \",\" or \"}\" after the value of \"a\", found \"/\""),
            ("{\r\n\r\n  ä: 'é漢😀' 1}", "3:12: expected \",\" or \"}\" after the value of \"ä\", found \"1\""),
            ("{\r\r a; }", "3:3: expected \":\" after the key \"a\", found \";\""),
            (
                String(repeating: "[", count: 100),
                "1:65: this is nested more than 64 levels deep"
            ),
        ])
    func `a syntax error is named at its place`(text: String, message: String) {
        #expect(Job.errors(text) == ["job.json5:\(message)"])
    }

    @Test func `bytes that are not UTF-8 are named at their place`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "syntax-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "job.json5")
        try (Data("{\n  name: \"caf".utf8) + Data([0xE9]) + Data("\" }".utf8)).write(to: file)
        #expect(
            throws: TreadleError(
                .configuration, "\(file.path):2:13: this is not UTF-8; save the file with UTF-8 encoding")
        ) {
            try Configuration.load(path: file.path)
        }
    }

    @Test func `duplicate keys are errors beside all others`() {
        #expect(
            Job.errors("{ name: 'n', data: { train: 't',\n train: 'u' }, seed: -1, 'name': 'm', model: {hidden: []} }")
                == [
                    "job.json5:2:2: duplicate key \"train\"; it is given first at 1:22",
                    "job.json5:2:22: seed must be an integer from 0 to 18446744073709551615; found -1",
                    "job.json5:2:26: duplicate key \"name\"; it is given first at 1:3",
                ])
    }
}

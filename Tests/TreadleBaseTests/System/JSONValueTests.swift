import Foundation
import Testing
import TreadleBase

@Suite struct JSONValueTests {
    private let value: JSONValue = [
        "name": "a \"quoted\"\n\u{1}name/ü", "numbers": [1, 2.5, 0.1], "none": nil, "yes": true, "empty": [:],
        "nested": ["list": [["a": 1], ["b": []]]],
    ]

    @Test func `objects keep the order of their keys`() {
        #expect(
            value.text() == """
                {"name":"a \\"quoted\\"\\n\\u0001name/ü","numbers":[1, 2.5, 0.1],"none":null,"yes":true,"empty":{},\
                "nested":{"list":[{"a":1}, {"b":[]}]}}
                """)
    }

    @Test func `indented text has a member a line, and lists of numbers on one`() {
        #expect(
            value.text(indented: true) == """
                {
                  "name": "a \\"quoted\\"\\n\\u0001name/ü",
                  "numbers": [1, 2.5, 0.1],
                  "none": null,
                  "yes": true,
                  "empty": {},
                  "nested": {
                    "list": [
                      {
                        "a": 1
                      },
                      {
                        "b": []
                      }
                    ]
                  }
                }
                """)
    }

    @Test func `another reader gets every double back`() throws {
        let numbers = [0.1, 1e300, Double.leastNonzeroMagnitude, -0.0, 1.0 / 3, 123_456_789.125]
        let text = JSONValue.array(numbers.map(JSONValue.number)).text()
        #expect(try JSONDecoder().decode([Double].self, from: Data(text.utf8)) == numbers)
    }

    @Test func `what is not finite is null`() {
        #expect(JSONValue.array([.number(.nan), .number(.infinity)]).text() == "[null, null]")
    }
}

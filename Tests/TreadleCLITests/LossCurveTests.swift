import Foundation
import Testing
import TreadleCLI
import TreadleRun

@Suite struct LossCurveTests {
    private let history = (1...12).map { epoch in
        EpochRecord(
            epoch: epoch, step: epoch * 10, rate: 0.1, seconds: 1,
            metrics: ["loss": 2.0 / Double(epoch), "valid.loss": 0.5 + 1.5 / Double(epoch)])
    }

    @Test func `two curves are drawn in ASCII with their names where they end`() throws {
        let text = try #require(LossCurve(history).text(width: 60, rows: 6, unicode: false))
        #expect(
            text == """
                 2.000 |oo
                       | oo
                       |  *oooo
                       |   ***ooooooooooooooo
                       |       **********    oooooooooooooooooo o valid.loss
                0.1667 |                 ********************** * loss
                        epoch 1                              12

                """)
    }

    @Test func `two curves are drawn in braille`() throws {
        let text = try #require(LossCurve(history).text(width: 60, rows: 6, unicode: true))
        #expect(
            text == """
                 2.000 │⠱⣀
                       │ ⠙⣦
                       │  ⠘⡕⠤⢄
                       │   ⠘⠒⢤⡉⠑⠒⠒⠤⠤⢤⣀⣀⣀⣀⡀
                       │      ⠈⠑⠒⠤⢄⣀⣀    ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠑⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒ valid.loss
                0.1667 │             ⠉⠉⠉⠉⠒⠒⠒⠒⠒⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀⣀ loss
                        epoch 1                                12

                """)
    }

    @Test func `a loss that falls far is drawn on a logarithmic scale`() throws {
        let curve = LossCurve(series: [.init(name: "loss", points: (0...40).map { ($0, pow(10, -Double($0) / 10)) })])
        let text = try #require(curve.text(width: 60, rows: 5, unicode: false))
        #expect(
            text == """
                    1.000 |******
                          |     ***********
                          |               ***********
                          |                          ***********
                0.0001000 |                                    ****** * loss
                           epoch 0                                 40 log

                """)
    }

    @Test func `no curve is wider than asked for`() throws {
        for width in 0...200 {
            for unicode in [false, true] {
                guard let text = LossCurve(history).text(width: width, unicode: unicode) else {
                    #expect(width < 40)
                    continue
                }
                let widest = text.split(separator: "\n").map(\.count).max() ?? 0
                #expect(widest <= width)
            }
        }
    }

    @Test func `one epoch, or none, makes no curve`() {
        #expect(LossCurve([]).text(width: 80, unicode: true) == nil)
        #expect(LossCurve(Array(history.prefix(1))).text(width: 80, unicode: true) == nil)
    }

    @Test func `a loss that never moves, or is not a number, is drawn all the same`() throws {
        let flat = LossCurve(series: [.init(name: "loss", points: [(1, 1), (2, .nan), (3, 1)])])
        let text = try #require(flat.text(width: 60, rows: 3, unicode: false))
        #expect(
            text == """
                1.000 |********************************************** * loss
                      |
                      |
                       epoch 1                                      3

                """)
    }
}

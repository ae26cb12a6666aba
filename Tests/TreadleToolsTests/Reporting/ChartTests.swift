import Testing
@testable import TreadleTools

@Suite struct ChartTests {
    private func chart(_ points: [(Double, Double)], isLogarithmic: Bool = false) -> Chart {
        Chart(
            title: "loss", xTitle: "epoch", series: [.init(name: "loss", points: points, color: 0)],
            isLogarithmic: isLogarithmic)
    }

    @Test func `a chart is drawn as it was when someone looked at it`() throws {
        let drawing = try #require(chart([(1, 2), (2, 1), (3, 0.5)]).drawing(width: 200, height: 160))
        #expect(
            drawing == """
                <text class="head" x="33.8" y="20">loss</text>
                <path class="line k0" d="M33.8 38h22"/><text class="name" x="61.8" y="42">loss</text>
                <path class="grid" d="M33.8 117.63H184"/><text class="axis" text-anchor="end" x="27.8" y="121.63">0.5</text>
                <path class="grid" d="M33.8 97.88H184"/><text class="axis" text-anchor="end" x="27.8" y="101.88">1.0</text>
                <path class="grid" d="M33.8 78.12H184"/><text class="axis" text-anchor="end" x="27.8" y="82.12">1.5</text>
                <path class="grid" d="M33.8 58.37H184"/><text class="axis" text-anchor="end" x="27.8" y="62.37">2.0</text>
                <path class="grid" d="M33.8 120H184"/>
                <path class="grid" d="M33.8 120v4"/><text class="axis" text-anchor="middle" x="33.8" y="137">1</text>
                <path class="grid" d="M108.9 120v4"/><text class="axis" text-anchor="middle" x="108.9" y="137">2</text>
                <path class="grid" d="M184 120v4"/><text class="axis" text-anchor="middle" x="184" y="137">3</text>
                <text class="axis" text-anchor="middle" x="108.9" y="153">epoch</text>
                <path class="line k0" d="M33.8 58.37L108.9 97.88L184 117.63"/>

                """)
    }

    @Test func `ticks are round numbers within the axis`() {
        #expect(Ticks(from: 0.37, to: 2.4, about: 5).labels == ["0.5", "1.0", "1.5", "2.0"])
        #expect(Ticks(from: 0, to: 100, about: 5).labels == ["0", "20", "40", "60", "80", "100"])
        #expect(Ticks(from: 1, to: 3, about: 8, wholeOnly: true).labels == ["1", "2", "3"])
        #expect(Ticks(from: -1, to: 1, about: 4).labels == ["-1.0", "-0.5", "0.0", "0.5", "1.0"])
        #expect(Ticks(from: 0, to: 1e-5, about: 4).labels.last == "1e-05")
        #expect(Ticks(from: 0, to: 3e7, about: 3).labels == ["0", "1e+07", "2e+07", "3e+07"])
        #expect(Ticks(powersFrom: 0.02, to: 3).labels == ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"])
        #expect(Ticks(powersFrom: 1e-8, to: 1).labels.count == 9)
    }

    struct Points: Sendable {
        let x: [Double]
        let y: [Double]

        init(_ x: [Double], _ y: [Double]) {
            self.x = x
            self.y = y
        }
    }

    static let oddPoints: [Points] = [
        Points([1], [1]), Points([1, 2], [1, 1]), Points([0, 1, 2, 3], [-5, .nan, .infinity, 7]),
        Points([1, 2], [1e300, -1e300]), Points([1, 2], [1e-300, 2e-300]), Points([5], [0]),
        Points([1e15, 1e15 + 2], [1, 2]),
    ]

    @Test(arguments: oddPoints)
    func `any numbers give a well-formed drawing without NaN`(odd: Points) {
        let points = Array(zip(odd.x, odd.y))
        for isLogarithmic in [false, true] {
            let text = Chart.document([chart(points, isLogarithmic: isLogarithmic)])
            #expect(problemOfXML(text) == nil)
            #expect(!text.contains("nan") && !text.contains("inf"))
        }
    }

    @Test func `a hundred thousand points make a small file`() throws {
        let points = (0..<100_000).map { (Double($0), Double($0 % 97)) }
        #expect(try #require(chart(points).svg()).utf8.count < 50_000)
    }

    @Test func `a drawing says in words what it shows`() throws {
        var chart = Chart(
            title: "accuracy", xTitle: "epoch",
            series: [
                .init(name: "a", points: [(1, 0.5), (2, 0.75), (3, 0.625)], color: 0),
                .init(name: "b", points: [(1, 0.25)], color: 1),
            ], higherIsBetter: true)
        #expect(chart.words == "a: last 0.625 at epoch 3, best 0.75 at epoch 2. b: 0.25 at epoch 1.")
        let figure = try #require(chart.svg())
        #expect(figure.contains("role=\"img\""))
        #expect(figure.contains("<title>accuracy</title><desc>\(chart.words)</desc>"))
        let document = Chart.document([chart, self.chart([(1, 2), (2, 1)])])
        #expect(document.contains("role=\"img\"") && document.contains("<title>accuracy, loss</title>"))
        #expect(document.contains("<desc>accuracy: \(chart.words) loss: loss: from 2 at epoch 1 to 1 at epoch 2, "))
        chart.higherIsBetter = false
        #expect(chart.words.contains("best 0.5 at epoch 1"))
        chart.higherIsBetter = nil
        #expect(chart.words.contains("lowest 0.5 at epoch 1, highest 0.75 at epoch 2"))
    }

    @Test func `a legend of many lines leaves the drawing its room`() throws {
        let series = (0..<40).map { Chart.Series(name: "runs/a long name \($0)", points: [(1, 1), (2, 2)], color: $0) }
        let chart = Chart(title: "loss", xTitle: "epoch", series: series)
        let one = try #require(Chart.Frame(self.chart([(1, 1), (2, 2)]), width: 760, height: 340))
        let many = try #require(Chart.Frame(chart, width: 760, height: 340))
        // Four names fit on a line.
        #expect(one.height == 340 && many.height == 340 + 9 * 17)
        #expect(Chart.document([chart]).contains("height=\"\(many.height.mark)\""))
    }

    @Test func `names out of files do not break the drawing`() {
        let evil = "<script>&\"'\u{1b}[31m\u{0}\u{202e}]]>\u{FFFE}"
        let text = Chart.document([
            Chart(title: evil, xTitle: evil, series: [.init(name: evil, points: [(1, 2), (2, 3)], color: 9)])
        ])
        #expect(problemOfXML(text) == nil)
        #expect(!text.contains("<script") && !text.contains("\u{1b}") && !text.contains("\u{202e}"))
    }
}

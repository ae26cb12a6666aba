import Testing
import TreadleCLI
import TreadleData
import TreadleModel
import TreadleRun

@Suite struct LiveLineTests {
    private static func line() -> LiveLine {
        let layer = Layer(name: "dense", inputs: 4, units: 2, activation: .identity, dropout: 0, hasBias: true)
        let overview = RunOverview(
            name: "job", directory: "runs/job", task: .classification, network: Network(inputs: 4, layers: [layer]),
            trainRows: 100_000, validRows: 0, testRows: 0, batchSize: 100, batchesPerEpoch: 1000, epochs: 20,
            threads: 2, start: Cursor(), resumedFrom: nil, history: [])
        var meter = ProgressMeter(overview)
        var figures = SteadyFigures(every: .seconds(1))
        var measured: SteadyFigures.Report?
        for step in 1...2250 {
            let (epoch, batch) = (step / 1000, step % 1000)
            let report = StepReport(
                cursor: Cursor(epoch: epoch, batch: batch, step: step), rows: 100, loss: 0.5, rate: 0.01,
                seconds: Double(step) * 0.01, waited: Double(step) * 0.001, runSeconds: 0)
            meter.add(report)
            measured = figures.add(report) ?? measured
            if batch == 0 { meter.endEpoch() }
        }
        return LiveLine(meter: meter, figures: measured)
    }

    @Test(arguments: [
        (
            120,
            "epoch 3/20  ━━━━━━━───────────────────────  25%  step 2,250  loss 0.5000  10,000 samples/s  "
                + "input wait 10%  2m 58s left"
        ),
        (80, "epoch 3/20  ━━━━───────────────  25%  loss 0.5000  10,000 samples/s  2m 58s left"),
        (50, "epoch 3/20  25%  loss 0.5000  2m 58s left"),
        (30, "epoch 3/20  loss 0.5000"),
        (12, "epoch 3/20  "),
    ])
    func `the line keeps what matters most`(width: Int, expected: String) {
        #expect(Self.line().text(width: width, unicode: true) == expected)
    }

    @Test func `no line is wider than the terminal`() {
        let line = Self.line()
        for width in 0...200 {
            for unicode in [false, true] { #expect(line.text(width: width, unicode: unicode).count <= width) }
        }
    }

    @Test func `a locale without Unicode gets a bar of ASCII`() {
        let text = Self.line().text(width: 150, unicode: false)
        #expect(text.contains("[#######.....................]"))
        #expect(text.filter { !$0.isASCII } == "")
    }
}

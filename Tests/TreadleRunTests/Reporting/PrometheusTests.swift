import TestSupport
import Testing
import TreadleData
import TreadleRun

@Suite struct PrometheusTests {
    @Test func `the file has the whole state in Prometheus' text format`() throws {
        let directory = try TemporaryDirectory()
        let file = PrometheusFile(path: directory.file("run.prom"), every: .seconds(1)) { Issue.record("\($0)") }
        file.began(.sample(start: Cursor()))
        file.stepped(
            StepReport(
                cursor: Cursor(epoch: 0, batch: 1, step: 1), rows: 32, loss: 0.5, rate: 0.125, seconds: 2, waited: 0.5,
                runSeconds: 0))
        file.finished(.sample)
        #expect(
            try directory.read("run.prom") == #"""
                # HELP treadle_running 1 while the run trains, 0 once it has ended.
                # TYPE treadle_running gauge
                treadle_running{run="a \"job\""} 0.0
                # HELP treadle_epochs_completed Epochs completed, over all resumptions.
                # TYPE treadle_epochs_completed gauge
                treadle_epochs_completed{run="a \"job\""} 2.0
                # HELP treadle_epochs_planned Epochs that the configuration asks for.
                # TYPE treadle_epochs_planned gauge
                treadle_epochs_planned{run="a \"job\""} 2.0
                # HELP treadle_steps_total Optimizer updates, over all resumptions.
                # TYPE treadle_steps_total counter
                treadle_steps_total{run="a \"job\""} 20.0
                # HELP treadle_batch_loss Mean training loss over the last interval.
                # TYPE treadle_batch_loss gauge
                treadle_batch_loss{run="a \"job\""} 0.5
                # HELP treadle_learning_rate Learning rate of the last step.
                # TYPE treadle_learning_rate gauge
                treadle_learning_rate{run="a \"job\""} 0.125
                # HELP treadle_samples_per_second Rows trained on per second.
                # TYPE treadle_samples_per_second gauge
                treadle_samples_per_second{run="a \"job\""} 16.0
                # HELP treadle_input_wait_ratio Share of time spent waiting for input.
                # TYPE treadle_input_wait_ratio gauge
                treadle_input_wait_ratio{run="a \"job\""} 0.25
                # HELP treadle_metric Metrics of the last epoch by name.
                # TYPE treadle_metric gauge
                treadle_metric{run="a \"job\"",name="loss"} 0.25
                treadle_metric{run="a \"job\"",name="valid.loss"} +Inf

                """#)
        #expect(try directory.contents() == ["run.prom"])
    }

    @Test func `a place that cannot be written is said once`() {
        let said = Said()
        let file = PrometheusFile(path: "/nonexistent/run.prom", every: .seconds(1)) { said.add($0) }
        file.began(.sample(start: Cursor()))
        file.finished(.sample)
        #expect(said.lines.count == 1)
        #expect(said.lines[0].hasSuffix("training goes on without log.prometheus"))
    }
}

import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleConfiguration
import TreadleModel

/// What holds for configurations in general, tried on many.
@Suite struct ConfigurationPropertyTests {
    @Test func `the resolved text of any configuration reads back to the same value`() throws {
        var random = SplitMix(seed: 1)
        for number in 0..<500 {
            let job = try Self.configuration(&random)
            let text = job.resolvedText
            let read = try Configuration.parse(text: text, file: "\(number)", baseDirectory: job.baseDirectory)
            #expect(read == job, "\(text)")
            #expect(read.resolvedText == text)
            // Any other reader of JSON takes it too.
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            #expect(object?["name"] as? String == job.name)
            #expect(read.meaningText == job.meaningText)
            #expect(Configuration.meaningChanges(from: job, to: read) == [])
        }
    }

    @Test func `the resolved text is plain JSON, a key a line, sections in the order of the reference`() throws {
        let lines = try Job.parse(Job.short).resolvedText.split(separator: "\n")
        #expect(
            lines.prefix(5) == [
                "{", "  \"schema\": 1,", "  \"name\": \"churn\",", "  \"task\": \"classification\",", "  \"seed\": 0,",
            ])
        #expect(lines.contains("  \"model\": {"))
        #expect(lines.contains("    \"precision\": \"float32\","))
        #expect(lines.allSatisfy { $0.count <= 100 })
    }

    @Test func `ten thousand damaged documents are read or refused, never a crash`() throws {
        var random = SplitMix(seed: 2)
        let whole = Array(try Self.configuration(&random).resolvedText.utf8)
        let alphabet = Array("{}[]:,\"'\\/*+-.0123456789eExnulltrueINaN \n\u{FEFF}é\u{2028}$_#".utf8)
        var accepted = 0
        for _ in 0..<10_000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let length = Int.random(in: 0..<min(40, bytes.count - place), using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                case 2: bytes.removeSubrange(place..<place + length)
                case 3:
                    bytes.insert(
                        contentsOf: bytes[place..<place + length], at: Int.random(in: 0...place, using: &random))
                default: bytes.removeSubrange((place + length)...)
                }
                if bytes.isEmpty { bytes = [0x7B] }
            }
            // Replacing what is not UTF-8 keeps the rest of the damage.
            let text = String(decoding: bytes, as: UTF8.self)
            let job: Configuration
            do {
                job = try Configuration.parse(text: text, file: "f", baseDirectory: "/base")
            } catch {
                #expect(error.kind == .configuration)
                #expect(!error.messages.isEmpty)
                #expect(error.messages.allSatisfy { $0.hasPrefix("f:") })
                continue
            }
            accepted += 1
            #expect(try Configuration.parse(text: job.resolvedText, file: "f", baseDirectory: "/base") == job)
        }
        #expect(accepted > 100 && accepted < 9_900, "damage of both kinds was tried: \(accepted)")
    }

    /// A configuration with every setting drawn at random, as far as they fit each other.
    private static func configuration(_ random: inout SplitMix) throws -> Configuration {
        var job = try Job.parse(#"{ name: "n", data: { train: "t", test: "u" }, model: { hidden: [ { units: 1 } ] } }"#)
        func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        func flip() -> Bool { Bool.random(using: &random) }
        func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
        func positive() -> Double {
            pick([
                1e-3, 1, 0.1, Double.random(in: 0..<1000, using: &random), .leastNonzeroMagnitude, 1.7e308, 1e16,
                123_456_789,
            ])
            .nextUp
        }
        func share() -> Double { pick([0.5, 0.1, Double.random(in: 0.001..<0.999, using: &random), 1e-7]) }
        func text() -> String {
            pick(["a", "données/é.h5", "a \"b\" \\ c", "line\nbreak\t\u{1}", "漢字 😀", "x'y", "//", "\u{2028}"])
        }
        func time() -> Duration {
            .nanoseconds(Int64.random(in: 1...pick([999, 10_000_000_000, 1_000_000_000_000_000]), using: &random))
        }
        func amount() -> Amount {
            flip() ? .bytes(pick([integer(1...1 << 50), 300_000_000, 1 << 31])) : .share(share())
        }
        func source(_ source: DataSource) -> DataSource {
            var source = source
            source.files = (0...integer(0...2)).map { _ in text() }
            source.x = text()
            source.y = text()
            source.weight = flip() ? text() : nil
            let first = integer(0...1000)
            source.rows = flip() ? first..<first + integer(1...1000) : nil
            return source
        }
        let layer = job.model.hidden[0]
        let early = job.stop.early
        let promote = job.retrain?.promote
        job.name = pick(["n", "日本", "a b", "O'Neil \"x\"", "-"])
        job.task = pick(LearningTask.allCases)
        job.seed = UInt64.random(in: 0...(.max), using: &random)
        job.data.train = source(job.data.train)
        job.data.valid = pick([nil, .fraction(share()), .source(source(job.data.train))])
        job.data.test = pick([
            nil, .source(source(job.data.train)), .fraction(share(), group: flip() ? text() : nil),
            .after("2026-01-31", column: flip() ? text() : nil),
        ])
        job.data.batchSize = integer(1...100_000)
        job.data.dropLast = flip()
        job.data.shuffle = pick(Shuffle.allCases)
        if job.data.shuffle == .block {
            job.data.shuffleBlock = integer(1...10_000)
            job.data.shuffleWindow = integer(1...100)
        }
        job.data.access = pick(Access.allCases)
        job.data.memoryLimit = amount()
        job.data.prefetch = integer(1...9)
        job.data.normalize = pick([.standard, .robust, .minmax, .none, .scale(-positive())])
        job.data.nonFinite = pick(NonFinitePolicy.allCases)
        job.data.allowExternal = flip()
        job.data.allowUnstored = flip()
        job.data.filters = flip() ? [] : ["32015", text()]
        job.data.kinds = flip() ? [] : ["zip=category", text()]
        job.model.hidden = (0..<integer(0...3)).map { _ in
            var layer = layer
            layer.units = integer(1...5000)
            layer.activation = pick(Activation.allCases)
            layer.dropout = flip() ? 0 : share()
            return layer
        }
        job.model.members = pick([1, 2, 6])
        if job.model.members > 1, flip() {
            job.model.vary = Variation(
                lr: flip() ? nil : 1e-3...positive() + 1, units: flip() ? nil : 16...integer(16...999),
                dropout: flip() ? nil : 0...share(), weightDecay: flip() ? nil : 1e-4...positive() + 1)
        }
        if job.model.members == 6, flip() { job.data.valid = .folds(3) }
        job.model.bias = flip()
        job.model.initializer = pick(Initializer.allCases)
        job.model.precision = pick(Precision.allCases)
        job.model.parameterization = pick(Parameterization.allCases)
        job.model.scaleInputs = flip()
        if flip() {
            var embedding = EmbeddingConfiguration(
                type: pick(EmbeddingType.allCases), frequencies: 16, outputs: integer(1...32), sigma: 0.1)
            switch embedding.type {
            case .periodic: (embedding.frequencies, embedding.sigma) = (integer(1...1024), positive())
            case .piecewise: embedding.bins = integer(2...1024)
            }
            job.model.embedding = embedding
            job.optimizer.embeddingRate = positive()
        }
        if job.model.bias { job.optimizer.biasRate = positive() }
        if job.model.scaleInputs { job.optimizer.scaleRate = positive() }
        job.loss.type = flip() ? .automatic : .value(pick(job.task.losses))
        if job.task == .classification || job.lossType == .bce {
            job.loss.classWeight = pick([nil, .balanced, .values([positive(), positive(), 1])])
        }
        if job.task == .regression, job.lossType != .poisson { job.data.normalizeTarget = pick([.standard, .none]) }
        if [.crossEntropy, .bce].contains(job.lossType) { job.loss.labelSmoothing = share() }
        if job.lossType == .huber { job.loss.delta = positive() }
        if job.lossType == .quantile { job.loss.quantile = share() }
        job.optimizer.type = pick(OptimizerType.allCases)
        job.optimizer.lr = positive()
        job.optimizer.weightDecay = flip() ? 0 : positive()
        if job.optimizer.weightDecay > 0 { job.optimizer.decaySchedule = pick(DecaySchedule.allCases) }
        if job.task == .regression { job.data.clipPredictions = flip() }
        job.optimizer.l1 = flip() ? 0 : positive()
        job.optimizer.clipNorm = flip() ? nil : positive()
        switch job.optimizer.type {
        case .sgd:
            job.optimizer.momentum = share()
            job.optimizer.nesterov = flip()
        case .adam, .adamw:
            job.optimizer.beta1 = share()
            job.optimizer.beta2 = share()
            job.optimizer.eps = positive()
        case .rmsprop: job.optimizer.rho = share()
        case .adagrad: job.optimizer.eps = positive()
        case .lion:
            job.optimizer.beta1 = share()
            job.optimizer.beta2 = share()
        }
        job.schedule.type = pick(ScheduleType.allCases)
        job.schedule.warmupSteps = integer(0...99)
        if [.step, .exponential, .plateau].contains(job.schedule.type) { job.schedule.gamma = share() }
        if ![.constant, .step, .exponential].contains(job.schedule.type) {
            job.schedule.minLr = min(job.optimizer.lr, job.model.vary?.lr?.lowerBound ?? .infinity) / 3
        }
        if job.schedule.type == .step { job.schedule.stepEpochs = integer(1...9) }
        if job.schedule.type == .coslog { job.schedule.cycles = integer(1...9) }
        if job.schedule.type == .poly { job.schedule.power = positive() }
        if job.schedule.type == .plateau { job.schedule.patience = integer(0...9) }
        job.metrics = job.task.metrics.filter { _ in flip() }
        let watched = job.metrics.filter { $0 != .confusion }.map { "valid.\($0.rawValue)" } + ["valid.loss"]
        job.stop.epochs = integer(1...1000)
        job.stop.steps = flip() ? nil : integer(1...1_000_000)
        job.stop.wallTime = flip() ? nil : time()
        job.stop.onNaN = pick(NonFiniteLossPolicy.allCases)
        if job.stop.onNaN == .rollback {
            job.stop.maxRollbacks = integer(1...9)
            job.stop.rollbackFactor = share()
        }
        job.stop.early = flip() ? nil : early
        job.stop.early?.metric = pick(watched + ["loss"])
        job.stop.early?.patience = integer(0...9)
        job.stop.early?.minDelta = positive()
        job.stop.early?.restoreBest = flip()
        job.compute.threads = pick([.automatic, .value(integer(1...64))])
        job.compute.shards = pick([.automatic, .value(integer(1...64))])
        job.compute.accumulate = integer(1...9)
        job.compute.audit = flip() ? nil : time()
        job.compute.rankTimeout = time()
        job.checkpoint.dir = text()
        job.checkpoint.every.time = flip() ? nil : time()
        job.checkpoint.every.epochs = flip() ? nil : integer(1...9)
        job.checkpoint.every.steps = flip() ? nil : integer(1...9999)
        job.checkpoint.keepLast = integer(1...9)
        job.checkpoint.keepBest = integer(0...9)
        job.checkpoint.minFree = pick([.automatic, .value(amount())])
        job.checkpoint.onError = pick(CheckpointErrorPolicy.allCases)
        job.log.level = pick(LogLevel.allCases)
        job.log.every = time()
        job.log.metrics = text()
        job.log.tensorboard = flip()
        job.log.prometheus = flip() ? nil : text()
        if flip() { job.retrain = nil }
        job.retrain?.when = pick(RetrainWhen.allCases)
        job.retrain?.start = pick(RetrainStart.allCases)
        job.retrain?.lock = pick(LockPolicy.allCases)
        job.retrain?.promote = job.data.valid == nil || flip() ? nil : promote
        job.retrain?.promote?.to = text()
        job.retrain?.promote?.metric = pick(watched)
        job.retrain?.promote?.tolerance = flip() ? .absolute(positive()) : .share(share())
        job.retrain?.promote?.keep = integer(0...9)
        job.retrain?.promote?.hook = flip() ? nil : text()
        job.retrain?.promote?.warnDrift = flip() ? nil : positive()
        job.retrain?.promote?.maxDrift = flip() ? nil : positive()
        return job
    }
}

internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
package import TreadleModel
package import TreadleRun

/// A model on one page: a file that needs nothing else, neither network nor scripts, and prints.
package struct HTMLReport {
    let inspection: Inspection
    let model: SavedModel
    let evaluated: EvaluatedSet?
    /// Why there is no confusion matrix, where one could be expected.
    let note: String?
    let explored: Exploration?

    package init(
        _ inspection: Inspection, of model: SavedModel, evaluated: EvaluatedSet? = nil, note: String? = nil,
        explored: Exploration? = nil
    ) {
        self.explored = explored
        self.inspection = inspection
        self.model = model
        self.evaluated = evaluated
        self.note = note
    }

    /// The page on a run that has come to its end.
    package static func page(of run: FinishedRun) throws -> String {
        let inspection = try Inspection(run.checkpoint, path: run.path, workers: run.workers)
        let note = "the run has neither test nor validation rows"
        return HTMLReport(inspection, of: run.checkpoint.model, evaluated: run.evaluated, note: note).text
    }

    var checkpoint: CheckpointHead { inspection.checkpoint }

    package var text: String {
        HTMLPage.text(
            title: name,
            [
                header, health, curves, worth, confusion, columns, data, network, weights, images, memory, origin,
                configuration,
            ])
    }

    private var name: String {
        checkpoint.knownSettings?.name ?? inspection.path
    }

    // MARK: The head of the page

    private var header: String {
        let parameters = Figure.count(checkpoint.network.parameterCount, "parameter")
        return """
            <header>
            <h1>\(name.markup)</h1>
            <p class="soft">\(checkpoint.task.rawValue), \(checkpoint.network.shape(joint: "–", times: "×")), \(parameters)</p>
            \(tiles)
            </header>
            """
    }

    /// The numbers that a reader looks for first.
    private var tiles: String {
        var tiles: [(name: String, value: String, beside: String)] = []
        // Those of the weights in the file; of weights that nobody has measured, the last epoch's.
        let own = checkpoint.weightsRecord
        let last = checkpoint.history.last
        var metrics = (own ?? last)?.metrics ?? [:]
        if let evaluated { metrics.merge(evaluated.evaluation.named(evaluated.set)) { $1 } }
        let names = metrics.keys.sorted { a, b in
            (Self.order(of: a), a) < (Self.order(of: b), b)
        }
        tiles += names.prefix(5).map { name in
            let lasting = last.flatMap { own != $0 ? $0.metrics[name] : nil }
            return (
                name, Figure.short(metrics[name] ?? .nan),
                lasting.map { "last epoch \(Figure.short($0))" } ?? ""
            )
        }
        let ofEpoch = own.flatMap { $0 != last ? "these weights: epoch \($0.epoch)" : nil }
        tiles.append(("epochs", Figure.grouped(checkpoint.cursor.epoch), ofEpoch ?? ""))
        tiles.append(("training", Figure.duration(checkpoint.progress.seconds), ""))
        let cells = tiles.map { tile in
            let beside = tile.beside.isEmpty ? "" : "<small>\(tile.beside.markup)</small>"
            return "<div><b>\(tile.value.markup)</b><span>\(tile.name.markup)</span>\(beside)</div>"
        }
        return "<div class=\"tiles\">\(cells.joined())</div>"
    }

    /// Test before validation before training, what was asked for before losses.
    private static func order(of name: String) -> Int {
        let set = name.hasPrefix("test.") ? 0 : name.hasPrefix("valid.") ? 2 : 4
        return set + (name.hasSuffix("loss") ? 1 : 0)
    }

    private var health: String {
        guard !inspection.signs.isEmpty else {
            return section("Health", "<p class=\"well\">Nothing looks sick.</p>")
        }
        let items = inspection.signs.map { sign in
            "<li class=\"\(sign.severity.rawValue)\"><b>\(sign.finding.markup)</b><br/>\(sign.meaning.markup)</li>\n"
        }
        return section("Health", "<ul class=\"signs\">\(items.joined())</ul>")
    }

    private var curves: String {
        let run = RunRecord(name: name, history: checkpoint.curve)
        let record = RunCharts([run])
        var charts = checkpoint.history.count > 1 ? record.charts(of: record.names) : []
        let rates = checkpoint.history.map { (x: Double($0.epoch), y: $0.rate) }
        if charts.count > 0, Set(rates.map(\.y)).count > 1 {
            charts.append(
                Chart(title: "learning rate", xTitle: "epoch", series: [.init(name: "rate", points: rates, color: 3)]))
        }
        // A metric of the last epoch alone is a tile, not a curve.
        let drawn = charts.filter { $0.series.contains { $0.points.count > 1 } }.compactMap { $0.svg() }
        guard !drawn.isEmpty else { return "" }
        return section("Curves", "<div class=\"charts\">\(drawn.joined())</div>")
    }

    // MARK: The model

    private var network: String {
        let rows = zip(checkpoint.network.layers, inspection.layers).map { layer, health in
            let sick = [
                (health.dead.count, "dead"), (health.saturated.count, "saturated"), (health.twins.count, "copies"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
            let cells = [
                layer.name.markup, "\(layer.inputs)×\(layer.units)", Figure.grouped(layer.parameterCount),
                layer.function, layer.dropout > 0 ? Figure.short(layer.dropout) : "–",
                sick.isEmpty ? "–" : sick.joined(separator: ", "),
            ]
            return row(cells, numbers: [1, 2])
        }
        let head = ["layer", "shape", "parameters", "activation", "dropout", "sick units"]
        return section("Network", byMember(rows) { table("Network", head, $0, numbers: [1, 2]) })
    }

    private var weights: String { section("Weights", byMember(inspection.parameters) { statistics("Weights", $0) }) }

    /// For those who look for what went wrong, and longer than all the weights: folded.
    private var memory: String {
        let tensors = inspection.tensors.filter { !$0.isParameter }
        guard !tensors.isEmpty else { return "" }
        return section(
            "The optimizer's memory",
            HTMLPage.folded(
                Figure.count(tensors.count, "array"), statistics("The optimizer’s memory", tensors)))
    }

    /// What each member has as many of, with the first member's before a reader's eyes and the others' folded.
    private func byMember<Item>(_ items: [Item], _ body: ([Item]) -> String) -> String {
        let members = checkpoint.network.members
        guard members > 1 else { return body(items) }
        return (0..<members).map { member in
            let own = items[items.count * member / members..<items.count * (member + 1) / members]
            return HTMLPage.folded("member \(member + 1)", body(Array(own)), isOpen: member == 0)
        }.joined(separator: "\n")
    }

    private func statistics(_ name: String, _ tensors: [InspectedTensor]) -> String {
        let rows = tensors.map { tensor in
            let numbers = tensor.statistics
            let finite = [numbers.mean, numbers.spread, numbers.norm, numbers.minimum, numbers.maximum]
            let cells =
                [tensor.name.markup, Histogram(numbers).svg]
                + finite.map { numbers.finite > 0 ? Figure.digits(3, $0).replacingMinus : "–" } + [
                    Figure.grouped(numbers.zeros), Figure.grouped(numbers.nan + numbers.infinite),
                ]
            return row(cells, numbers: Array(2...8))
        }
        let head = ["tensor", "from min to max", "mean", "spread", "norm", "min", "max", "zeros", "NaN"]
        return table(name, head, rows, numbers: Array(2...8))
    }

    private var images: String {
        guard let pictures = WeightImages(model) else { return "" }
        let dead = Set(inspection.layers.dropFirst(model.network.stem.count).first?.dead ?? [])
        let figures = pictures.images.enumerated().map { unit, image in
            let label = "unit \(unit)" + (dead.contains(unit) ? ", dead" : "")
            return "<figure><img src=\"\(image.dataLink)\" alt=\"weights of \(label)\"/>"
                + "<figcaption>\(dead.contains(unit) ? "† " : "")\(unit)</figcaption></figure>\n"
        }
        let rest = pictures.units - pictures.images.count
        let more = rest > 0 ? " The first \(pictures.images.count) of \(pictures.units)." : ""
        let legend = "What each unit of the first layer looks for: orange adds to it, blue takes away.\(more)"
        return section(
            "First-layer weights", "<p class=\"soft\">\(legend)</p><div class=\"units\">\(figures.joined())</div>")
    }

    // MARK: Where it comes from

    private var origin: String {
        let items = InspectionFacts(inspection).all.map { fact in
            "<dt>\(fact.name.markup)</dt><dd>\(fact.text.markup)</dd>\n"
        }
        return section("Where it comes from", "<dl>\(items.joined())</dl>")
    }

    private var configuration: String {
        let text = JSONValue(parsing: checkpoint.configuration)?.text(indented: true) ?? checkpoint.configuration
        // Line by line: line ends are the only control characters that stay.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).markup }
        return section("Configuration", "<pre>\(lines.joined(separator: "\n"))</pre>")
    }

    // MARK: Parts

    func section(_ title: String, _ body: String) -> String { HTMLPage.section(title, body) }

    func table(_ name: String, _ head: [String], _ rows: [String], numbers: [Int]) -> String {
        HTMLPage.table(name, head, rows, numbers: numbers)
    }

    func row(_ cells: [String], numbers: [Int]) -> String { HTMLPage.row(cells, numbers: numbers) }
}

extension Layer {
    /// What it does, in a word: of a dense layer the activation, of one of the stem its kind.
    package var function: String { kind == .dense ? activation.rawValue : kind.rawValue }
}

extension String {
    /// With the sign that has a digit's width.
    fileprivate var replacingMinus: String { String(map { $0 == "-" ? "−" : $0 }) }
}

/// A histogram as a small drawing.
private struct Histogram {
    private let counts: [Int]

    init(_ statistics: TensorStatistics) { counts = statistics.histogram }

    var svg: String {
        guard let highest = counts.max(), highest > 0 else { return "–" }
        let bars = counts.enumerated().filter { $1 > 0 }.map { index, count -> String in
            let height = max(1, 30 * Double(count) / Double(highest))
            return "M\(index * 5) 32v-\(height.mark)h4v\(height.mark)z"
        }
        return "<svg class=\"bars\" aria-hidden=\"true\" viewBox=\"0 0 160 32\"><path d=\"\(bars.joined())\"/></svg>"
    }
}

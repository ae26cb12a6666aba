internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// Reads what a checkpoint says, and finds its numbers, believing nothing that does not fit the rest.
///
/// Whoever can write a file can also write its digest: sizes are bounded by what is stored, and shapes by the network.
struct CheckpointReader {
    private let file: H5File
    let path: String
    /// No array of a file has more bytes than its image.
    let size: Int

    /// Opens the checkpoint that is open as `descriptor`; messages call it `path`.
    init(path: String, descriptor: Int32, imageLength: Int) throws {
        do {
            file = try H5File.open(SealedFile.name(of: descriptor), as: path)
        } catch {
            throw Self.refusal(error)
        }
        self.path = path
        size = imageLength
    }

    func read() throws -> CheckpointOutline {
        do {
            let outline = try readChecked()
            try outline.check(imageLength: size, of: path)
            return outline
        } catch let error as H5Error {
            throw Self.refusal(error)
        }
    }

    /// What a disk or a file system refused is no fault of the file's contents.
    private static func refusal(_ error: H5Error) -> TreadleError {
        switch error.kind {
        case .failedRead, .permission, .locked: TreadleError(error)
        default: TreadleError(.badData, "\(error); use another checkpoint or a copy")
        }
    }

    private func readChecked() throws -> CheckpointOutline {
        let state = try file.group("treadle")
        let precision: Precision = try choice("precision", of: state)
        let (network, parameters) = try readModel(precision)
        let origin = FileOrigin(
            configuration: try text("config", in: state),
            baseDirectory: try text(attribute: "base_directory", of: state),
            fingerprint: try text(attribute: "fingerprint", of: state), created: try number("created", of: state),
            programVersion: try text(attribute: "program_version", of: state), numerics: try numerics(of: state))
        try checkAgreement(of: origin, with: network)
        let optimizer = try state.group("optimizer")
        var model = ModelDescription(
            task: try choice("task", of: state), network: network, loss: try choice("loss", of: state),
            precision: precision)
        model.classes = try texts("classes", in: state)
        model.columns = try texts("columns", in: state)
        model.schema = try schema(in: state)
        model.classWeights = try state.contains("class_weights") ? column("class_weights", in: state) : nil
        model.imageShape = try imageShape(in: state, network)
        if try state.contains("calibration") {
            let temperature = try required("temperature", of: state.group("calibration"))
            guard temperature > 0, temperature.isFinite else {
                throw damage("treadle/calibration", "its temperature is \(temperature)")
            }
            model.temperature = temperature
        }
        let course = RunCourse(
            cursor: try readCursor(state.group("cursor")), progress: try readProgress(state.group("progress"), network),
            history: try readHistory(state.group("history")))
        return CheckpointOutline(
            head: CheckpointHead(model: model, course: course, origin: origin), parameters: parameters,
            optimizerStep: try count("step", of: optimizer), slots: try readSlots(optimizer, network, precision),
            normalization: try readNormalization(state.group("normalization"), network))
    }

    /// Files from before there was a number are of the first contract.
    private func numerics(of state: H5Group) throws -> [Int] {
        guard try state.hasAttribute("numerics") else { return [1] }
        let numbers: [Int] = try state.attribute("numerics").numbers()
        guard !numbers.isEmpty, numbers.allSatisfy((1...Self.counts.upperBound).contains) else {
            throw damage(state.path, "its attribute numerics is no list of numbers from 1")
        }
        return numbers
    }

    // MARK: The model

    private func readModel(_ precision: Precision) throws -> (Network, [CheckpointOutline.LayerPlaces]) {
        let model = try file.group("model")
        // A layer takes more bytes than this in a file: one that claims to have more layers lies.
        let groups = try model.links(limit: size / 64).flatMap { link in
            let group = try model.group(link.name)
            guard try !group.hasAttribute("index") else { return [(name: link.name, group: group)] }
            // Of a network with members, each is a group with its layers in it.
            return try group.links(limit: size / 64).map { ("\(link.name)/\($0.name)", try group.group($0.name)) }
        }
        let ordered = try groups.map { ($0.name, $0.group, try count("index", of: $0.group)) }.sorted { $0.2 < $1.2 }
        guard !ordered.isEmpty, ordered.map(\.2) == Array(0..<ordered.count) else {
            throw damage("model", "the layers are not numbered from 0 without gaps")
        }

        var layers: [Layer] = []
        var parameters: [CheckpointOutline.LayerPlaces] = []
        for (name, group, _) in ordered {
            let shape = try group.dataset("weight").shape
            guard shape.count == 2, shape.allSatisfy({ $0 > 0 }) else {
                throw damage("model/\(name)/weight", "has the shape \(shape) instead of inputs × units")
            }
            let kind: Layer.Kind = try group.hasAttribute("kind") ? choice("kind", of: group) : .dense
            let isFirst = layers.last.map { Self.member(of: $0.name) != Self.member(of: name) } ?? true
            let follows = !isFirst && kind == .dense && layers.last?.kind == .dense
            guard !follows || layers.last?.units == shape[0] else {
                throw damage("model/\(name)/weight", "has \(shape[0]) inputs where the layer before has other units")
            }
            let dropout = try number("dropout", of: group) ?? .nan
            guard (0..<1).contains(dropout) else { throw damage("model/\(name)", "its dropout is \(dropout)") }
            layers.append(
                Layer(
                    name: name, kind: kind, inputs: shape[0], units: shape[1],
                    activation: try choice("activation", of: group),
                    dropout: dropout, hasBias: try group.contains("bias")))
            parameters.append(try places(of: layers[layers.count - 1], in: group, precision.number))
        }
        return (try network(of: layers, precision), parameters)
    }

    /// What stands before a slash in a layer's name: its member.
    private static func member(of name: String) -> Substring? {
        name.firstIndex(of: "/").map { name[..<$0] }
    }

    /// The network of these layers, of one member or several, whose stems tell how many numbers are its inputs.
    private func network(of layers: [Layer], _ precision: Precision) throws -> Network {
        var members: [[Layer]] = []
        for layer in layers {
            if let last = members.last?.last, Self.member(of: last.name) == Self.member(of: layer.name) {
                members[members.count - 1].append(layer)
            } else {
                members.append([layer])
            }
        }
        let state = try file.group("treadle")
        let embedded: [Int] = try state.contains("embedded") ? column("embedded", in: state) : []
        let networks = try members.map { layers in
            var network = Network(inputs: 0, layers: layers, embedded: embedded, precision: precision)
            let embeddingWidth = network.stem.first { $0.kind == .combination }?.units ?? 0
            network.inputs = (network.dense.first?.inputs ?? 0) - embeddingWidth
            guard network.hasSoundStem else {
                throw damage("model", "its layers before the dense ones do not fit each other, or treadle/embedded")
            }
            return network
        }
        let isOne = networks.count == 1
        let isRight = networks.enumerated().allSatisfy { number, own in
            own.inputs == networks[0].inputs && own.outputs == networks[0].outputs
                && own.layers.map(\.kind) == networks[0].layers.map(\.kind)
                && own.layers.allSatisfy { isOne || $0.name.hasPrefix(Network.prefix(ofMember: number)) }
        }
        guard isRight else { throw damage("model", "its members are not networks for the same question") }
        return Network(members: networks)
    }

    private func places(
        of layer: Layer, in group: H5Group, _ number: NumberType
    ) throws -> CheckpointOutline.LayerPlaces {
        CheckpointOutline.LayerPlaces(
            weight: try place("weight", in: group, shape: [layer.inputs, layer.units], number),
            bias: layer.hasBias ? try place("bias", in: group, shape: [layer.units], number) : nil)
    }

    private func place(
        _ name: String, in group: H5Group, shape: [Int], _ number: NumberType
    ) throws -> ArrayPlace {
        let dataset = try group.dataset(name)
        try checkStored(dataset, as: number == .float32 ? .float32 : .float64, shape: shape)
        guard case .contiguous(let offset?, _) = dataset.storage else {
            throw damage(String(dataset.path.dropFirst()), "does not store the elements that it claims")
        }
        return ArrayPlace(shape: shape, number: number, offset: offset - UserBlock.size)
    }

    /// Whoever computes by the configuration relies on it to describe the layers that are there.
    private func checkAgreement(of origin: FileOrigin, with network: Network) throws {
        guard let known = origin.knownSettings, known.understands("model"), known.understands("seed") else {
            throw damage("treadle/config", "is no resolved configuration")
        }
        let model = known.settings.model
        // Their numbers first: the file has paid for its own layers, and for no others.
        let isAsLarge = model.members == network.members && model.hidden.count + 1 == network.member(0).dense.count
        guard isAsLarge, agrees(known.settings, with: network) else {
            throw damage("treadle/config", "its model.hidden describes other layers than the file has")
        }
    }

    private func agrees(_ configuration: Configuration, with network: Network) -> Bool {
        let due = configuration.network(
            inputs: network.inputs, outputs: network.outputs, numbers: network.embedded
        ).layers
        return due.count == network.layers.count
            && zip(due, network.layers).allSatisfy {
                $0.kind == $1.kind && $0.inputs == $1.inputs && $0.units == $1.units && $0.activation == $1.activation
                    && $0.hasBias == $1.hasBias
            }
    }

    // MARK: The state

    private func readNormalization(_ group: H5Group, _ network: Network) throws -> [String: ArrayPlace] {
        try Normalization.parts.filter { try group.contains($0.name) }.reduce(into: [:]) { places, part in
            let count = part.side == .inputs ? network.inputs : network.outputs
            places[part.name] = try place(part.name, in: group, shape: [count], .float64)
        }
    }

    private func imageShape(in group: H5Group, _ network: Network) throws -> [Int]? {
        guard try group.contains("image_shape") else { return nil }
        let shape: [Int] = try column("image_shape", in: group)
        guard shape.allSatisfy({ $0 > 0 }), shape.boundedProduct() == network.inputs else {
            throw damage("treadle/image_shape", "is \(shape), which is not the shape of \(network.inputs) inputs")
        }
        return shape
    }

    private func readSlots(
        _ group: H5Group, _ network: Network, _ precision: Precision
    ) throws -> [CheckpointOutline.SlotPlaces] {
        let names = try group.hasAttribute("slots") ? group.attribute("slots").strings(byteLimit: size) : []
        return try names.map { name in
            let slot = try group.group(name)
            return CheckpointOutline.SlotPlaces(
                name: name,
                layers: try network.layers.map { try places(of: $0, in: slot.group($0.name), precision.number) })
        }
    }

    private func readCursor(_ group: H5Group) throws -> Cursor {
        Cursor(
            epoch: try count("epoch", of: group), batch: try count("batch", of: group),
            step: try count("step", of: group))
    }

    private func readMembers(_ group: H5Group, _ network: Network) throws -> [MemberProgress] {
        guard try group.hasAttribute("member_best") else { return [] }
        let best: [Double] = try group.attribute("member_best").numbers()
        let epochs: [Int] = try group.attribute("member_best_epoch").numbers()
        let waits: [Int] = try group.attribute("member_epochs_without_progress").numbers()
        guard [best.count, epochs.count, waits.count].allSatisfy({ $0 == network.members }),
            (epochs + waits).allSatisfy(Self.counts.contains)
        else { throw damage(group.path, "what it says of members does not fit the network") }
        return best.indices.map {
            MemberProgress(
                best: best[$0].isNaN ? nil : best[$0], epoch: epochs[$0] == 0 ? nil : epochs[$0], wait: waits[$0])
        }
    }

    private func readProgress(_ group: H5Group, _ network: Network) throws -> TrainingProgress {
        var progress = TrainingProgress()
        progress.lossSum = try required("loss_sum", of: group)
        progress.weightSum = try required("weight_sum", of: group)
        progress.best = try number("best", of: group)
        progress.bestEpoch = try group.hasAttribute("best_epoch") ? count("best_epoch", of: group) : nil
        progress.epochsWithoutProgress = try count("epochs_without_progress", of: group)
        progress.members = try readMembers(group, network)
        progress.plateauBest = try number("plateau_best", of: group)
        progress.plateauWait = try count("plateau_wait", of: group)
        progress.rateScale = try required("rate_scale", of: group)
        progress.rollbacks = try count("rollbacks", of: group)
        progress.seconds = try required("seconds", of: group)
        progress.stoppedEarly = try required("stopped_early", of: group) != 0
        progress.finished = try required("finished", of: group) != 0
        progress.restoredEpoch =
            try group.hasAttribute("restored_epoch") ? count("restored_epoch", of: group) : nil
        return progress
    }

    private func readHistory(_ group: H5Group) throws -> [EpochRecord] {
        let count = try group.dataset("epoch").shape.first ?? 0
        let epochs: [Int] = try column("epoch", in: group, count: count)
        let steps: [Int] = try column("step", in: group, count: count)
        guard (epochs + steps).allSatisfy(Self.counts.contains) else {
            throw damage("treadle/history", "its epochs or steps are not counts")
        }
        let rates: [Double] = try column("rate", in: group, count: count)
        let seconds: [Double] = try column("seconds", in: group, count: count)
        var records = (0..<count).map {
            EpochRecord(epoch: epochs[$0], step: steps[$0], rate: rates[$0], seconds: seconds[$0], metrics: [:])
        }
        guard try group.contains("metrics") else { return records }
        let metrics = try group.group("metrics")
        for link in try metrics.links(limit: size / 64) {
            let values: [Double] = try column(link.name, in: metrics, count: count)
            for (index, value) in values.enumerated() where !value.isNaN {
                records[index].metrics[MetricPath.name(of: link.name)] = value
            }
        }
        return records
    }
}

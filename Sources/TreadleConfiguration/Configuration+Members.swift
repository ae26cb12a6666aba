internal import TreadleBase
package import TreadleModel

/// One of a run's members: what it does not share with the others.
package struct Member: Equatable, Sendable {
    /// Where its weights and its dropout come from.
    package var seed: UInt64
    package var model: ModelConfiguration
    package var optimizer: OptimizerConfiguration
}

extension Configuration {
    /// The members in their order. The first has the run's own seed, so that one alone is the run as it always was.
    package var members: [Member] {
        (0..<model.members).map { number in
            let words = Philox(seed: seed, purpose: .member).words(at: UInt64(number))
            let own = number == 0 ? seed : UInt64(words[1]) << 32 | UInt64(words[0])
            var member = Member(seed: own, model: model, optimizer: optimizer)
            member.model.members = 1
            member.model.vary = nil
            if let vary = model.vary { member.draw(vary) }
            return member
        }
    }

    /// The network for data with `inputs` columns and `outputs` targets, of all members. `numbers` are the columns that an
    /// embedding is for; nil is all of them.
    package func network(inputs: Int, outputs: Int, numbers: [Int]? = nil) -> Network {
        let members = members.map { Network($0.model, inputs: inputs, outputs: outputs, numbers: numbers) }
        guard members.count > 1 else { return members[0] }
        return Network(
            members: members.enumerated().map { number, network in
                var network = network
                for index in network.layers.indices {
                    network.layers[index].name = Network.prefix(ofMember: number) + network.layers[index].name
                }
                return network
            })
    }
}

extension Member {
    /// Draws every varied setting from a random number of its own, so that varying one more changes no other draw.
    fileprivate mutating func draw(_ vary: Variation) {
        let random = Philox(seed: seed, purpose: .member, stream: 1)
        func share(_ index: UInt64) -> Double {
            let words = random.words(at: index)
            let bits = UInt64(words[1]) << 32 | UInt64(words[0])
            return Double(bits >> 11) * 0x1p-53
        }
        func even(_ bounds: ClosedRange<Double>, _ index: UInt64) -> Double {
            min(bounds.lowerBound + (bounds.upperBound - bounds.lowerBound) * share(index), bounds.upperBound)
        }
        func byLogarithm(_ bounds: ClosedRange<Double>, _ index: UInt64) -> Double {
            let log = ElementaryFunction.log
            let drawn = ElementaryFunction.exp(even(log(bounds.lowerBound)...log(bounds.upperBound), index))
            return min(max(drawn, bounds.lowerBound), bounds.upperBound)
        }
        if let bounds = vary.lr { optimizer.lr = byLogarithm(bounds, 0) }
        if let bounds = vary.units {
            let steps = (bounds.upperBound / 16) - (bounds.lowerBound + 15) / 16
            let units =
                steps < 0 ? bounds.lowerBound : ((bounds.lowerBound + 15) / 16 + Int(share(1) * Double(steps + 1))) * 16
            for layer in model.hidden.indices { model.hidden[layer].units = units }
        }
        if let bounds = vary.dropout {
            let dropout = even(bounds, 2)
            for layer in model.hidden.indices { model.hidden[layer].dropout = dropout }
        }
        if let bounds = vary.weightDecay { optimizer.weightDecay = byLogarithm(bounds, 3) }
    }
}

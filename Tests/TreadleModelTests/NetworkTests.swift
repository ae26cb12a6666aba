import Foundation
import TestSupport
import Testing
@testable import TreadleModel

@Suite struct NetworkTests {
    @Test func `a dense layer has a weight for each input of each unit, and a bias for each unit where it has any`() {
        let network = Network.dense([784, 512, 512, 10])
        #expect(network.layers.map(\.parameterCount) == [784 * 512 + 512, 512 * 512 + 512, 512 * 10 + 10])
        #expect(network.parameterCount == 669_706)
        #expect(Network.dense([784, 512, 512, 10], bias: false).parameterCount == 669_706 - 512 - 512 - 10)
        #expect(network.outputs == 10 && network.shape() == "784-512-512-10")
        #expect(network.shape(joint: "→") == "784→512→512→10")
        #expect(network.stem.isEmpty && network.dense.count == 3 && network.embeddingOutputs == 0)
        #expect(Network(inputs: 4, layers: []).outputs == 0)
    }

    @Test
    func `a stem has a wave and its phase a frequency and column, sums of them, and a factor for all that is read`() {
        // Of 6 columns 3 are embedded: 4 waves each, which become 2 numbers each.
        let network = Network.stemmed(
            inputs: 6, embedded: [0, 2, 5], frequencies: 4, outputs: 2, hidden: [9], units: 1)
        #expect(network.stem.map(\.kind) == [.waves, .combination, .factors])
        let read = 6 + 3 * 2
        #expect(network.stem.map(\.parameterCount) == [2 * 4 * 3, 4 * 2 * 3 + 2 * 3, read])
        #expect(network.dense.map(\.inputs) == [read, 9] && network.embeddingOutputs == 2)
        #expect(network.parameterCount == 24 + 30 + read + (read * 9 + 9) + (9 + 1))
        #expect(network.shape() == "6-9-1")
        #expect(network.layers.indices.map(network.readsInputs) == [false, false, false, true, false])
        #expect(network.layers.indices.map(network.makesOutput) == [false, false, false, false, true])
    }

    @Test func `members lie one after the other, and each is the network that it was`() {
        let hidden = [[7], [9], [9]]
        let members = hidden.map { Network.stemmed(inputs: 5, embedded: [1, 3], hidden: $0, units: 2) }
        let network = Network(members: members)
        #expect(network.members == 3 && network.inputs == 5 && network.outputs == 2 && network.hasSoundStem)
        #expect((0..<3).map(network.layers(of:)) == [0..<5, 5..<10, 10..<15])
        #expect((0..<3).map(network.member) == members)
        #expect(network.parameterCount == members.reduce(0) { $0 + $1.parameterCount })
        #expect(network.layers.indices.filter(network.readsInputs) == [3, 8, 13])
        #expect(network.layers.indices.filter(network.makesOutput) == [4, 9, 14])
        #expect(network.shape() == "5-7-2, 5-9-2, 5-9-2")
        #expect(Network(members: [members[1], members[2]]).shape(times: "×") == "2 × 5-9-2")
        #expect(network.stem.count == 3 && Array(network.dense) == Array(members[0].dense))
        #expect(Network(members: [members[0]]) == members[0])
        #expect(Network.prefix(ofMember: 2) == "m3/")
    }

    @Test func `a network with members survives being written and read`() throws {
        let member = Network.stemmed(inputs: 5, embedded: [1, 3], hidden: [7], units: 2, functions: .ramps)
        for network in [member, Network(members: [member, member, member])] {
            #expect(try JSONDecoder().decode(Network.self, from: JSONEncoder().encode(network)) == network)
        }
    }

    @Test func `layers that do not make a stem are refused`() {
        let sound = Network.stemmed(inputs: 6, embedded: [0, 2, 5], hidden: [9, 5], units: 2)
        let others = [
            Network.stemmed(inputs: 6, embedded: [0, 2, 5], hidden: [9], units: 2, functions: .ramps),
            .stemmed(inputs: 6, embedded: [0, 2, 5], scaled: false, hidden: [9], units: 2),
            .stemmed(inputs: 6, hidden: [9], units: 2), .dense([6, 2]),
        ]
        #expect(sound.hasSoundStem && others.allSatisfy(\.hasSoundStem))
        let changes: [(inout Network) -> Void] = [
            { $0.embedded = [0, 2] }, { $0.embedded = [0, 2, 6] }, { $0.embedded = [2, 0, 5] },
            { $0.embedded = [2, 2, 5] },
            { $0.embedded = [] }, { $0.layers.remove(at: 1) }, { $0.layers.swapAt(2, 3) }, { $0.inputs = 7 },
            { $0.inputs = 0 },
            { $0.layers[0].hasBias = false }, { $0.layers[1].hasBias = false }, { $0.layers[2].hasBias = true },
            { $0.layers[0].units += 1 }, { $0.layers[1].units += 3 }, { $0.layers[2].units += 1 },
            { $0.layers[3].inputs += 1 }, { $0.layers[4].kind = .factors }, { $0.layers.removeAll() },
        ]
        for (number, change) in changes.enumerated() {
            var network = sound
            change(&network)
            #expect(!network.hasSoundStem, "change \(number)")
        }
    }
}

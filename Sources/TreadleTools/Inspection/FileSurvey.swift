internal import Foundation
internal import HDF5
package import TreadleBase

/// What any HDF5 file holds: its tree, and statistics of the numbers in it.
package struct FileSurvey: Codable, Equatable, Sendable {
    /// One dataset of the tree, looked into.
    package struct Contents: Codable, Equatable, Sendable {
        /// The index among the tree's nodes.
        package var node: Int
        package var statistics: TensorStatistics?
        /// The values where they are few.
        package var numbers: [Double]?
        package var texts: [String]?
        /// Why there are no statistics. Safe to print.
        package var problem: String?
    }

    package var tree: FileTree
    package var contents: [Contents]

    /// Looks into a file of unknown origin in a process of its own, which has `seconds` to live.
    package static func readGuarded(
        _ path: String, seconds: Int = 4, helper: GuardedHelper
    ) throws -> FileSurvey {
        // Time enough is left to tell what has been found until then.
        let request = Work.Request(path: path, limits: FileTree.Limits(), seconds: Double(seconds) * 0.6)
        return try GuardedProcess.perform(
            Work.self, request, on: path, limits: GuardedProcess.Limits(seconds: seconds), helper: helper)
    }

    package enum Work: GuardedWork {
        package struct Request: Codable, Sendable {
            package var path: String
            package var limits: FileTree.Limits
            /// Of the clock: what is not measured by then is left out.
            package var seconds: Double
        }

        package static let name = "file-survey"

        package static func perform(_ request: Request) throws -> FileSurvey {
            let deadline = ContinuousClock.now + .seconds(request.seconds)
            let tree = try FileTree.read(request.path, limits: request.limits)
            let file = try H5File.open(request.path)
            let contents = tree.nodes.indices.compactMap { index -> Contents? in
                guard let array = tree.nodes[index].array else { return nil }
                return look(into: tree.nodes[index], array, at: index, of: file, until: deadline)
            }
            return FileSurvey(tree: tree, contents: contents)
        }

        private static func look(
            into node: FileTree.Node, _ array: FileTree.ArrayDescription, at index: Int, of file: H5File,
            until deadline: ContinuousClock.Instant
        ) -> Contents? {
            var contents = Contents(node: index)
            do throws(H5Error) {
                let dataset = try file.dataset(node.path)
                if case .string(let format) = dataset.type, let size = format.size, let count = dataset.count,
                    (1...16).contains(count), size <= 4096 / count
                {
                    contents.texts = try dataset.readStrings(byteLimit: 4096)
                    return contents
                }
                guard array.isNumeric, dataset.count != 0 else { return nil }
                if let few = dataset.count, few <= 4 { contents.numbers = try dataset.read() }
                switch try DatasetTally(dataset, until: deadline).result {
                case .measured(let statistics): contents.statistics = statistics
                case .skipped(let why): contents.problem = why
                }
            } catch {
                contents.problem = error.description
            }
            return contents
        }
    }
}

package import HDF5
package import TreadleBase

/// A bounded listing of what an HDF5 file holds, in depth-first order.
///
/// Names are as the file has them: print them through `printable` only.
package struct FileTree: Codable, Equatable, Sendable {
    /// How much is listed at most; the rest is counted or said to be missing.
    package struct Limits: Codable, Equatable, Sendable {
        package var nodes = 10_000
        package var depth = 64
        package var attributes = 64
        /// Elements of an attribute whose values are given.
        package var values = 16
        /// Bytes of text in an attribute's value, and of a type's description.
        package var text = 4096

        package init() {}
    }

    package struct Node: Codable, Equatable, Sendable {
        package enum Kind: String, Codable, Sendable {
            case group, dataset, type
            /// Links that are shown, not followed.
            case softLink, externalLink, otherLink
            /// Something that did not open.
            case unreadable
        }

        package var path: String
        package var depth: Int
        package var kind: Kind
        /// The path under which the same object was listed before; it is not listed again.
        package var sameAs: String?
        /// Whether that is a group around this one: following it would never end.
        package var isCycle = false
        package var linkTarget: String?
        package var array: ArrayDescription?
        /// The description of a named type.
        package var type: String?
        package var attributes: [Attribute] = []
        package var omittedAttributes = 0
        /// Links of this group that are not listed.
        package var omittedLinks = 0
        /// Why it, or a part of it, could not be read. Safe to print.
        package var problem: String?
    }

    /// A dataset's description.
    package struct ArrayDescription: Codable, Equatable, Sendable {
        package var type: String
        /// Whether its elements can be read as numbers.
        package var isNumeric: Bool
        package var shape: [Int]
        /// nil: unlimited.
        package var maxShape: [Int?]
        package var storage: H5Storage
        package var filters: [H5Filter]
        /// Bytes in the file.
        package var storedSize: Int
    }

    package struct Attribute: Codable, Equatable, Sendable {
        package var name: String
        package var type: String
        package var shape: [Int]
        /// Its values where they are few.
        package var numbers: [Double]?
        package var texts: [String]?
    }

    package var nodes: [Node]
    /// Whether nodes are missing because there are more than the limit.
    package var isCut: Bool
}

extension FileTree {
    /// Lists a file in this process: for files whose digest has been verified.
    package static func read(_ path: String, limits: Limits = Limits()) throws -> FileTree {
        do {
            var listing = FileTreeReader(limits: limits)
            return try listing.read(try H5File.open(path))
        } catch let error as H5Error {
            throw TreadleError(error)
        }
    }

    /// Lists a file of unknown origin in a process of its own.
    package static func readGuarded(
        _ path: String, limits: Limits = Limits(), within bounds: GuardedProcess.Limits = .init(),
        helper: GuardedHelper
    ) throws -> FileTree {
        try GuardedProcess.perform(
            Listing.self, Listing.Request(path: path, limits: limits), on: path, limits: bounds, helper: helper)
    }

    /// The listing as work for a guarded process.
    package enum Listing: GuardedWork {
        package struct Request: Codable, Sendable {
            package var path: String
            package var limits: Limits
        }

        package static let name = "file-tree"

        package static func perform(_ request: Request) throws -> FileTree {
            try FileTree.read(request.path, limits: request.limits)
        }
    }
}

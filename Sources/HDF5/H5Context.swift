internal import CHDF5Shims

/// What all objects of one open file share: its name for messages, and what it may do.
package final class H5Context: Sendable {
    let name: String
    let policy: AccessPolicy
    /// Passed with every name that is looked up, so that refused links are refused wherever they are on the way.
    let linkAccess: Handle
    /// The file on disk; nil for an image in memory.
    let path: String?

    init(name: String, path: String?, policy: AccessPolicy) throws(H5Error) {
        self.name = name
        self.path = path
        self.policy = policy
        linkAccess = try Handle.properties(chdf5_property_link_access())
        if !policy.allowsOtherFiles {
            try check(chdf5_refuse_external_links(linkAccess.id), name)
        }
    }

    /// How messages call an object of this file: "data/a.h5:/x".
    func subject(_ path: String) -> String { path == "/" ? name : "\(name):\(path)" }

    /// Runs `body` under the library's lock and this file's policy.
    @discardableResult
    func locked<Result: ~Copyable>(_ body: () throws(H5Error) -> Result) throws(H5Error) -> Result {
        try H5Library.locked { () throws(H5Error) in
            chdf5_allow_plugins(policy.allowsPlugins ? 1 : 0)
            return try body()
        }
    }
}

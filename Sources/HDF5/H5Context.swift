internal import CHDF5Shims

/// What all objects of one open file share: its name for messages, and what it may do.
package final class H5Context: Sendable {
    let name: String
    let policy: AccessPolicy
    /// Passed with every name that is looked up, so that refused links are refused wherever they are on the way.
    let linkAccess: Handle
    /// Of a file on disk that is being written.
    private let health: FileHealth?
    /// Here, so that the file stays open as long as any object of it.
    let file: Handle

    /// Takes over an open file.
    init(
        _ file: hid_t, name: String, policy: AccessPolicy = .confined, health: FileHealth? = nil
    ) throws(H5Error) {
        self.file = try Handle(file, .file, in: name)
        self.name = name
        self.policy = policy
        self.health = health
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
            do throws(H5Error) {
                let result = try body()
                try health?.check(name)
                return result
            } catch {
                // A failed write is the cause of whatever libhdf5 stumbles over afterwards.
                try health?.check(name)
                throw error
            }
        }
    }
}

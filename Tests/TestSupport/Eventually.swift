internal import Glibc

/// Whether `condition` comes true within `limit`: for what another thread or process brings about.
///
/// It is asked again and again: most of what tests wait for, such as a file, a line of output or the state of a process,
/// tells nobody when it comes.
package func eventually(within limit: Duration = .seconds(60), _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else { return false }
        usleep(1_000)
    }
    return true
}

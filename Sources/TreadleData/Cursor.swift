/// Where training stands, to the batch: with the configuration and the data it is all that resuming needs.
///
/// ```swift
/// if case .saved(let path, let cursor) = event { print("\(path): epoch \(cursor.epoch), step \(cursor.step)") }
/// ```
public struct Cursor: Equatable, Sendable, Codable {
    /// Epochs completed.
    public var epoch: Int
    /// Batches of the present epoch already trained on.
    public var batch: Int
    /// Optimizer updates since the start.
    public var step: Int

    package init(epoch: Int = 0, batch: Int = 0, step: Int = 0) {
        self.epoch = epoch
        self.batch = batch
        self.step = step
    }
}

/// Where training stands, to the batch: with the configuration and the data it is all that resuming needs.
package struct Cursor: Equatable, Sendable, Codable {
    /// Epochs completed.
    package var epoch: Int
    /// Batches of the present epoch already trained on.
    package var batch: Int
    /// Optimizer updates since the start.
    package var step: Int

    package init(epoch: Int = 0, batch: Int = 0, step: Int = 0) {
        self.epoch = epoch
        self.batch = batch
        self.step = step
    }
}

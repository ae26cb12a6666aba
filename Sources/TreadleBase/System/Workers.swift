internal import Dispatch
internal import Synchronization

/// A number of threads that share numbered tasks. The number changes speed alone, never a result.
package struct Workers: Sendable {
    /// How many tasks may run at once; a task's worker number is below it.
    package let count: Int

    package init(count: Int) {
        precondition(count >= 1, "at least one worker is needed")
        self.count = count
    }

    /// Runs `body(task, worker)` for every task, in any order, and returns when all are done.
    ///
    /// A worker runs one task at a time, so what is kept per worker needs no lock.
    package func forEach(_ taskCount: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        let active = min(count, taskCount)
        guard active > 1 else {
            for task in 0..<taskCount { body(task, 0) }
            return
        }
        let next = Atomic<Int>(0)
        // concurrentPerform returns only when every iteration has: nothing captured outlives this call.
        nonisolated(unsafe) let body = body
        DispatchQueue.concurrentPerform(iterations: active) { worker in
            while true {
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard task < taskCount else { return }
                unsafe body(task, worker)
            }
        }
    }

    /// Runs `body(task, worker)` for every task, and throws what the first of those that failed threw, when all are done.
    package func forEachTrying(_ taskCount: Int, _ body: (_ task: Int, _ worker: Int) throws -> Void) throws {
        let failures = Slots<any Error>(taskCount)
        forEach(taskCount) { task, worker in
            do { try body(task, worker) } catch { failures[task] = error }
        }
        for failure in failures.values { if let failure { throw failure } }
    }

    /// Does two things at once where a core is free for each, or else the first before the second, and returns when both
    /// are done. When both fail, the first one's error is thrown.
    package static func together<First, Second>(
        _ first: () throws -> First, and second: () throws -> Second
    ) throws -> (First, Second) {
        var one: Result<First, any Error>?
        var other: Result<Second, any Error>?
        Workers(count: 2).forEach(2) { task, _ in
            if task == 0 { one = Result(catching: first) } else { other = Result(catching: second) }
        }
        guard let one, let other else { preconditionFailure("every task is done when forEach returns") }
        return (try one.get(), try other.get())
    }
}

/// A place for each of a number of tasks to leave its result in; tasks may fill different places at the same time.
package final class Slots<Value> {
    private final class Slot { var value: Value? }
    private let slots: [Slot]

    package init(_ count: Int) { slots = (0..<count).map { _ in Slot() } }

    package subscript(index: Int) -> Value? {
        get { slots[index].value }
        set { slots[index].value = newValue }
    }

    package var values: [Value?] { slots.map(\.value) }
}

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

    /// What `body(task, worker)` gives for every task, in the order of the tasks.
    package func map<Value>(_ taskCount: Int, _ body: (_ task: Int, _ worker: Int) -> Value) -> [Value] {
        unsafe [Value](unsafeUninitializedCapacity: taskCount) { places, count in
            // Each task has its own place; no two tasks touch the same.
            forEach(taskCount) { task, worker in
                unsafe places.initializeElement(at: task, to: body(task, worker))
            }
            count = taskCount
        }
    }

    /// What `body(task, worker)` gives for every task; throws what the first of those that failed threw, when all are done.
    package func mapTrying<Value>(
        _ taskCount: Int, _ body: (_ task: Int, _ worker: Int) throws -> Value
    ) throws -> [Value] {
        try map(taskCount) { task, worker in Result { try body(task, worker) } }.map { try $0.get() }
    }

    /// Runs `body(task, worker)` for every task; throws what the first of those that failed threw, when all are done.
    package func forEachTrying(_ taskCount: Int, _ body: (_ task: Int, _ worker: Int) throws -> Void) throws {
        _ = try mapTrying(taskCount, body)
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

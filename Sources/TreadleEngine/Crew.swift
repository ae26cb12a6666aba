internal import CSystem
internal import Dispatch
internal import Synchronization
internal import TreadleBase

/// Threads that stay together from one phase of a step to the next.
///
/// A step has a few phases of some tens of microseconds each, and waking a thread for each of them takes as long. So the
/// helpers look out for the next phase for a while after each, and sleep when there is none; nobody waits without bound,
/// and the one who hands out work never waits for a helper that has not begun. Where threads outnumber the cores, nobody
/// looks out at all: it would take the core from one who works. Handing out work allocates nothing, for which Dispatch's
/// `concurrentPerform` cannot be used.
///
/// Every worker has tasks of its own, the same ones each time, so that their memory stays in its cache; when it is done with
/// them, it takes those of its neighbours.
final class Crew<Work: Sendable>: Sendable {
    let count: Int
    private let board: Board<Work>

    /// `perform(work, task, worker)` does one task; a worker runs one at a time, so what is kept per worker needs no lock.
    init(_ workers: Workers, perform: @escaping @Sendable (_ work: Work, _ task: Int, _ worker: Int) -> Void) {
        count = workers.count
        // Looks at the board before one sleeps: some 50 µs.
        let turns = workers.count <= Cores.available ? 2_000 : 0
        board = Board(workers: workers.count, turns: turns, perform: perform)
        for number in 1..<max(1, workers.count) {
            // A queue each: its one task lasts as long as the crew.
            DispatchQueue(label: "treadle.crew.\(number)", qos: .userInitiated).async { [board] in
                board.help(as: number)
            }
        }
    }

    deinit {
        board.dismiss()
    }

    /// Whether every helper has begun and sleeps until there is work: for tests, which wait for it.
    var isAsleep: Bool { board.isAsleep }

    /// Does every task of `work`, in any order, and returns when all are done; on the calling thread alone where sharing is
    /// not worth it. Worker w begins with tasks `starts[w]` ..< `starts[w + 1]`, or with its part of all in a row. Called by
    /// one thread at a time.
    func run(_ work: Work, tasks: Int, starts: [Int]? = nil, shared: Bool = true) {
        guard shared, count > 1, tasks > 1 else {
            for task in 0..<tasks { board.perform(work, task, 0) }
            return
        }
        board.run(work, tasks, starts)
    }
}

/// What the crew's threads see of each other.
@safe private final class Board<Work: Sendable>: @unchecked Sendable {
    let perform: @Sendable (Work, Int, Int) -> Void

    // What is under way, written while no helper is at it: for each worker the next of its tasks, and where they end.
    private var work: Work?
    private let shares: UnsafeMutablePointer<Share>
    private let workers: Int

    /// On cache lines of its own (two: they are fetched in pairs): workers count without disturbing each other.
    private struct Share: ~Copyable {
        let next = Atomic<Int>(0)
        var end = 0
        private let padding: (SIMD16<Int>) = .zero
    }

    /// In the low bits, how many helpers are at it; then whether more may join; then its number.
    private let state = Atomic<Int>(0)
    private var helperMask: Int { 1 << 16 - 1 }
    private var open: Int { 1 << 16 }
    private var oneWork: Int { 1 << 17 }

    private let turns: Int
    private let bells: [Bell]
    private let isDismissed = Atomic<Bool>(false)
    /// Rung for the one who handed out the work, by the last helper to leave it.
    private let done = Bell()

    init(workers: Int, turns: Int, perform: @escaping @Sendable (Work, Int, Int) -> Void) {
        self.turns = turns
        self.perform = perform
        self.workers = workers
        unsafe shares = .allocate(capacity: workers)
        for worker in 0..<workers { unsafe (shares + worker).initialize(to: Share()) }
        bells = (1..<max(1, workers)).map { _ in Bell() }
    }

    deinit {
        unsafe shares.deinitialize(count: workers)
        unsafe shares.deallocate()
    }

    func run(_ work: Work, _ tasks: Int, _ starts: [Int]?) {
        self.work = work
        for worker in 0..<workers {
            let start = starts?[worker] ?? worker * tasks / workers
            unsafe shares[worker].next.store(start, ordering: .relaxed)
            unsafe shares[worker].end = starts?[worker + 1] ?? (worker + 1) * tasks / workers
        }
        state.add(oneWork + open, ordering: .sequentiallyConsistent)
        for bell in bells.prefix(tasks - 1) { bell.ring() }
        take(work, as: 0)
        state.subtract(open, ordering: .sequentiallyConsistent)
        done.wait(turns) { state.load(ordering: .sequentiallyConsistent) & helperMask == 0 }
    }

    private func take(_ work: Work, as worker: Int) {
        for turn in 0..<workers {
            let share = unsafe shares + (worker + turn) % workers
            while true {
                let task = unsafe share.pointee.next.add(1, ordering: .relaxed).oldValue
                guard unsafe task < share.pointee.end else { break }
                perform(work, task, worker)
            }
        }
    }

    func help(as worker: Int) {
        let bell = bells[worker - 1]
        var seen = 0
        while true {
            bell.wait(turns) {
                let state = self.state.load(ordering: .sequentiallyConsistent)
                return state & open != 0 && state / oneWork != seen
                    || isDismissed.load(ordering: .sequentiallyConsistent)
            }
            if isDismissed.load(ordering: .sequentiallyConsistent) { return }
            guard let number = join() else { continue }
            seen = number
            if let work { take(work, as: worker) }
            let left = state.subtract(1, ordering: .sequentiallyConsistent).newValue
            if left & (open | helperMask) == 0 { done.ring() }
        }
    }

    /// The number of the work that was joined, or nil where none is open any more.
    private func join() -> Int? {
        var state = self.state.load(ordering: .sequentiallyConsistent)
        while state & open != 0 {
            let (joined, now) = self.state.weakCompareExchange(
                expected: state, desired: state + 1, ordering: .sequentiallyConsistent)
            if joined { return state / oneWork }
            state = now
        }
        return nil
    }

    var isAsleep: Bool { bells.allSatisfy(\.isAwaited) }

    func dismiss() {
        isDismissed.store(true, ordering: .sequentiallyConsistent)
        for bell in bells { bell.ring() }
    }
}

/// Wakes one thread that waits for something to become true.
private final class Bell: Sendable {
    private let isSleeping = Atomic<Bool>(false)
    private let semaphore = DispatchSemaphore(value: 0)

    var isAwaited: Bool { isSleeping.load(ordering: .sequentiallyConsistent) }

    /// Returns when `condition` holds: looks `turns` times, then sleeps until the bell is rung.
    func wait(_ turns: Int, until condition: () -> Bool) {
        for _ in 0..<turns {
            if condition() { return }
            csystem_pause()
        }
        while !condition() {
            isSleeping.store(true, ordering: .sequentiallyConsistent)
            // A ring before the store above has made the condition true; a ring after it signals the semaphore. None is
            // missed.
            if condition() {
                let wasRung = !isSleeping.exchange(false, ordering: .sequentiallyConsistent)
                if wasRung { semaphore.wait() }
                return
            }
            semaphore.wait()
        }
    }

    /// To be called after the change that makes the condition true.
    func ring() {
        if isSleeping.exchange(false, ordering: .sequentiallyConsistent) { semaphore.signal() }
    }
}

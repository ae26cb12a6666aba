import Foundation
import Synchronization
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleEngine

@Suite struct CrewTests {
    @Test(arguments: [1, 2, 3, 8]) func `every task is done once, by one worker at a time`(threads: Int) {
        let busy = (0..<threads).map { _ in Flag() }
        let wrong = Atomic<Int>(0)
        let crew = Crew<[Flag]>(Workers(count: threads)) { done, task, worker in
            let (mine, first) = (busy[worker].raise(), done[task].raise())
            if !mine || !first { wrong.add(1, ordering: .relaxed) }
            busy[worker].lower()
        }
        for round in 0..<2_000 {
            let done = (0..<[1, 2, 3, 17, 64][round % 5]).map { _ in Flag() }
            crew.run(done, tasks: done.count)
            // All are done when the call returns.
            let left = done.filter { $0.raise() }.count
            #expect(wrong.load(ordering: .relaxed) == 0 && left == 0, "round \(round)")
            // At times the next work finds all helpers asleep.
            if round % 500 == 0 { #expect(eventually { crew.isAsleep }) }
        }
    }

    @Test func `a helper takes part when the caller is held up`() {
        let others = Atomic<Int>(0)
        let deadline = ContinuousClock.now + .seconds(60)
        let crew = Crew<Void>(Workers(count: 2)) { _, _, worker in
            if worker == 1 { others.add(1, ordering: .sequentiallyConsistent) }
            while others.load(ordering: .sequentiallyConsistent) == 0, ContinuousClock.now < deadline {}
        }
        crew.run((), tasks: 2)
        #expect(others.load(ordering: .sequentiallyConsistent) > 0)
    }

    @Test func `a crew's threads end with it`() throws {
        func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        for _ in 0..<300 { Crew<Void>(Workers(count: 4)) { _, _, _ in }.run((), tasks: 8) }
        // Nine hundred helpers have come; Dispatch keeps the threads of some for others to use.
        #expect(try eventually { try threads() <= 400 })
    }
}

private final class Flag: Sendable {
    private let isRaised = Atomic<Bool>(false)
    /// False where it was raised already.
    func raise() -> Bool { !isRaised.exchange(true, ordering: .sequentiallyConsistent) }
    func lower() { isRaised.store(false, ordering: .sequentiallyConsistent) }
}

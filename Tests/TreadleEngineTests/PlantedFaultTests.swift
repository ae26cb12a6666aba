import CKernels
import Foundation
import Synchronization
import Testing
@testable import TreadleBase
@testable import TreadleEngine

private let wantedFault = ProcessInfo.processInfo.environment["TREADLE_PLANTED_FAULT"]

/// Mistakes made on purpose, which Scripts/sanitize must see reported before it believes that there are no others.
@Suite(.enabled(if: wantedFault != nil, "only under a sanitizer, by Scripts/sanitize"))
struct PlantedFaultTests {
    @Test func `two workers write the same number`() {
        guard wantedFault == "race" else { return }
        let memory = AlignedMemory<Int>(count: 1)
        nonisolated(unsafe) let number = unsafe memory.start
        let writers = Atomic<Int>(0)
        let crew = Crew<Void>(Workers(count: 2)) { _, task, _ in
            unsafe number.pointee += task
            // The other one writes, too, before this one goes on. Relaxed, so that it is no order between the two.
            writers.add(1, ordering: .relaxed)
            while !writers.load(ordering: .relaxed).isMultiple(of: 2) {}
        }
        for _ in 0..<100 { crew.run((), tasks: 2) }
        #expect(unsafe number.pointee >= 0)
    }

    @Test func `a kernel writes beyond the end`() {
        guard wantedFault == "bounds" else { return }
        let numbers = UnsafeMutablePointer<Float>.allocate(capacity: 16)
        defer { unsafe numbers.deallocate() }
        unsafe numbers.initialize(repeating: 1, count: 16)
        unsafe ck_axpy_f32(17, 1, numbers, numbers)
    }
}

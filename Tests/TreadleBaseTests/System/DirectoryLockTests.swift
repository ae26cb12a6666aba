import Foundation
import TestSupport
import Testing
import TreadleBase

@Suite struct DirectoryLockTests {
    @Test func `the second is refused and told the holder's process id`() throws {
        let directory = try TemporaryDirectory()
        let run = directory.file("runs/churn")
        let lock = try DirectoryLock.acquire(run, whenHeld: .fail)
        #expect(lock?.path.hasSuffix("/runs/churn.lock") == true)
        let error = #expect(throws: TreadleError.self) { try DirectoryLock.acquire(run, whenHeld: .fail) }
        #expect(error?.kind == .tryAgain)
        #expect(error?.description.contains("process \(getpid()) on ") == true)
        #expect(try DirectoryLock.acquire(run, whenHeld: .skip) == nil)
        _ = lock
    }

    @Test func `a symbolic link is the same directory`() throws {
        let directory = try TemporaryDirectory()
        let lock = try DirectoryLock.acquire(directory.file("run"), whenHeld: .fail)
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("alias"), withDestinationPath: directory.file("run"))
        #expect(try DirectoryLock.acquire(directory.file("alias"), whenHeld: .skip) == nil)
        _ = lock
    }

    @Test func `a released lock is free, and a waiting run gets it`() throws {
        let directory = try TemporaryDirectory()
        let run = directory.file("run")
        let held = Held()
        held.lock = try DirectoryLock.acquire(run, whenHeld: .fail)
        var holders: [String] = []
        let second = try DirectoryLock.acquire(run, whenHeld: .wait) { holder in
            holders.append(holder)
            held.lock = nil
        }
        #expect(second != nil)
        #expect(holders.count == 1)
    }

    @Test func `a released lock is free although a forked child still has the descriptor`() throws {
        let directory = try TemporaryDirectory()
        let run = directory.file("run")
        let held = Held()
        held.lock = try DirectoryLock.acquire(run, whenHeld: .fail)
        let path = try #require(held.lock?.path)
        // What a child has between fork and exec: the same open file under another number.
        let copies = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init)
            .filter { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path }
            .map { dup($0) }
        defer { copies.forEach { close($0) } }
        #expect(copies.count == 1)
        held.lock = nil
        #expect(try DirectoryLock.acquire(run, whenHeld: .skip) != nil)
    }

    @Test func `a lock whose file was deleted is not counted on`() throws {
        let directory = try TemporaryDirectory()
        let first = try #require(try DirectoryLock.acquire(directory.file("run"), whenHeld: .fail))
        try FileManager.default.removeItem(atPath: first.path)
        let second = try DirectoryLock.acquire(directory.file("run"), whenHeld: .fail)
        #expect(second != nil)
        #expect(try DirectoryLock.acquire(directory.file("run"), whenHeld: .skip) == nil)
        _ = (first, second)
    }

    @Test func `a file in the directory's place, or above it, is an error with its path`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("run")
        try DurableFile.write("x", to: path)
        for (place, reason) in [
            (path, "is no directory; remove it, or choose another checkpoint.dir"),
            (path + "/deeper/down", "what is above it is no directory; choose another checkpoint.dir"),
        ] {
            let error = #expect(throws: TreadleError.self) { try DirectoryLock.acquire(place, whenHeld: .fail) }
            #expect(error?.kind == .cannotCreate)
            #expect(error?.description == "\(place): \(reason)")
        }
        #expect(try DirectoryLock.acquire(directory.file("a/b/c"), whenHeld: .fail) != nil)
    }

    private final class Held {
        var lock: DirectoryLock?
    }
}

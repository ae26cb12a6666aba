// The readers of bytes that anyone may have written, each a libFuzzer target; run by Scripts/fuzz.
//
// Usage: FuzzReaders READER [what libFuzzer takes: options, and directories or files to begin with]

import CFuzzer
import Glibc
import TreadleBase

guard CommandLine.arguments.count > 1, let reader = Reader.all.first(where: { $0.name == CommandLine.arguments[1] })
else {
    for reader in Reader.all { print(reader.name) }
    exit(CommandLine.arguments.count > 1 ? 64 : 0)
}
Chosen.reader = reader

// What libFuzzer reads as its own begins behind the reader's name.
var count = CommandLine.argc - 1
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
exit(
    LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
        Chosen.reader?.judge(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    })

/// A C function cannot hold on to anything.
enum Chosen {
    nonisolated(unsafe) static var reader: Reader?
}

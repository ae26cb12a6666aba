import TestSupport
import Testing
import TreadleBase

@Suite struct VersionTests {
    @Test func `the version has three parts`() {
        #expect(Treadle.version.split(separator: ".").count == 3)
    }

    @Test(arguments: ["scalar", "avx2"])
    func `the program says its version, HDF5's, and the instruction set in use`(set: String) throws {
        let finished = try Program.run("--version", environment: ["TREADLE_ISA": set])
        #expect(finished.code == 0)
        #expect(finished.errors == "")
        let pattern = try Regex(
            "treadle \(Treadle.version) \\(HDF5 [0-9]+\\.[0-9]+\\.[0-9]+, (\(set)|scalar), numerics \(Treadle.numerics)\\)\n"
        )
        #expect(finished.output.wholeMatch(of: pattern) != nil, "\(finished.output)")
    }
}

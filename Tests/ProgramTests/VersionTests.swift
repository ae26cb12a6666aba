import Testing
import Treadle

@Suite struct VersionTests {
    @Test func `the version has three parts`() {
        #expect(Treadle.version.split(separator: ".").count == 3)
    }
}

import HDF5
import TestSupport
import Testing

@Suite struct LibraryTests {
    @Test func `the library names its version`() {
        #expect(H5Library.version.hasPrefix("1.") || H5Library.version.hasPrefix("2."))
    }
}

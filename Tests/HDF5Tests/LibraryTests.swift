import HDF5
import Testing

@Suite struct LibraryTests {
    @Test func `the library names its version`() {
        #expect(HDF5.libraryVersion.hasPrefix("1.") || HDF5.libraryVersion.hasPrefix("2."))
    }
}

internal import CHDF5Shims

/// A Swift number that libhdf5 converts to and from any numeric element type.
package protocol H5Number: BitwiseCopyable, Sendable {
    /// The type as it lies in this machine's memory.
    static var elementType: ElementType { get }
}

extension H5Number where Self: FixedWidthInteger {
    package static var elementType: ElementType {
        .integer(signed: isSigned, size: bitWidth / 8, order: .native)
    }
}

extension Int8: H5Number {}
extension Int16: H5Number {}
extension Int32: H5Number {}
extension Int64: H5Number {}
extension Int: H5Number {}
extension UInt8: H5Number {}
extension UInt16: H5Number {}
extension UInt32: H5Number {}
extension UInt64: H5Number {}
extension UInt: H5Number {}
extension Float: H5Number { package static var elementType: ElementType { .float(.single(.native)) } }
extension Double: H5Number { package static var elementType: ElementType { .float(.double(.native)) } }
#if !(os(macOS) && arch(x86_64))
    extension Float16: H5Number { package static var elementType: ElementType { .float(.half(.native)) } }
#endif

extension ByteOrder {
    /// This machine's.
    package static var native: ByteOrder { Int16(1).littleEndian == 1 ? .little : .big }
}

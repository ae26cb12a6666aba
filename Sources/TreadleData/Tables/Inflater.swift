internal import CZlib

/// A deflate stream being unpacked: gzip with its checksums, or the bare form inside ZIP.
@safe final class Inflater {
    enum Wrapping: Int32 {
        case gzip = 31
        case none = -15
    }

    enum Outcome { case more, ended, damaged }

    private let stream: UnsafeMutablePointer<z_stream>

    init(_ wrapping: Wrapping) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit2_(
            stream, wrapping.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib refuses to start")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Begins another stream where one ended: gzip files may hold several, one after the other.
    func restart() { unsafe inflateReset(stream) }

    /// Unpacks `input` into `output` until one of them is used up; both ranges shrink from the front.
    func inflate(
        _ input: inout [UInt8], _ from: inout Range<Int>, into output: inout [UInt8], _ to: inout Range<Int>
    ) -> Outcome {
        precondition(
            from.upperBound <= input.count && to.upperBound <= output.count, "ranges must lie in their buffers")
        let status = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = source.baseAddress?.advanced(by: from.lowerBound)
                unsafe stream.pointee.avail_in = UInt32(from.count)
                unsafe stream.pointee.next_out = target.baseAddress?.advanced(by: to.lowerBound)
                unsafe stream.pointee.avail_out = UInt32(to.count)
                return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            }
        }
        from = unsafe (from.upperBound - Int(stream.pointee.avail_in))..<from.upperBound
        to = unsafe (to.upperBound - Int(stream.pointee.avail_out))..<to.upperBound
        switch status {
        case Z_STREAM_END: return .ended
        case Z_OK, Z_BUF_ERROR: return .more
        default: return .damaged
        }
    }
}

import CLinux
import Glibc

/// An iterator over the control messages of one received message; it checks every length. Source: cmsg(3).
///
/// It is in this module so that each ``Message/load(as:)`` is specialised: a packet has a handful of messages, and
/// generic code of another module, `@inlinable` or not, is called through its witness tables, which costs more than the
/// rest of a packet's receipt.
struct ControlMessages: Sequence, IteratorProtocol {
    private var rest: UnsafeRawBufferPointer

    /// - Parameter bytes: the control data that the kernel reported (msg_controllen), not the whole buffer.
    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    struct Message {
        let level: Int32
        let type: Int32
        let data: UnsafeRawBufferPointer

        /// The data as a plain value; `nil` if there are fewer bytes than that.
        @inline(__always)
        func load<Value: BitwiseCopyable>(as type: Value.Type) -> Value? {
            guard data.count >= MemoryLayout<Value>.size else { return nil }
            return data.loadUnaligned(as: type)
        }
    }

    @inline(__always)
    mutating func next() -> Message? {
        let headerBytes = cl_cmsg_len(0)
        guard rest.count >= headerBytes, let start = rest.baseAddress else { return nil }
        let header = start.loadUnaligned(as: cmsghdr.self)
        // A length smaller than the header or past the end ends the iteration.
        guard header.cmsg_len >= headerBytes, header.cmsg_len <= rest.count else { return nil }
        let message = Message(
            level: header.cmsg_level, type: header.cmsg_type,
            data: UnsafeRawBufferPointer(start: start + headerBytes, count: header.cmsg_len &- headerBytes))
        let step = Swift.min(cl_cmsg_align(header.cmsg_len), rest.count)
        rest = UnsafeRawBufferPointer(start: start + step, count: rest.count &- step)
        return message
    }
}

/// A writer of one message's control messages into memory that the caller owns. Source: cmsg(3).
struct ControlMessageWriter {
    private let storage: UnsafeMutableRawBufferPointer
    /// Bytes written so far: the message's msg_controllen.
    private(set) var length = 0

    init(_ storage: UnsafeMutableRawBufferPointer) { self.storage = storage }

    /// Appends one control message. Returns `false`, with nothing written, if it does not fit.
    @discardableResult
    mutating func append<Value: BitwiseCopyable>(level: Int32, type: Int32, _ value: Value) -> Bool {
        let size = MemoryLayout<Value>.size
        let space = cl_cmsg_space(size)
        guard length + space <= storage.count else { return false }
        var header = cmsghdr()
        header.cmsg_len = cl_cmsg_len(size)
        header.cmsg_level = level
        header.cmsg_type = type
        storage.storeBytes(of: header, toByteOffset: length, as: cmsghdr.self)
        storage.storeBytes(of: value, toByteOffset: length + cl_cmsg_len(0), as: Value.self)
        length += space
        return true
    }
}

import CLinux
import Glibc

/// The control messages of one received message: a walk that trusts no length. Source: cmsg(3).
///
/// Inlinable, so that each ``Message/load(as:)`` is compiled for its type where it is used: a packet has a handful of
/// messages, and generic code that is called across modules costs more than the rest of its receipt.
package struct ControlMessages: Sequence, IteratorProtocol {
    @usableFromInline var rest: UnsafeRawBufferPointer

    /// - Parameter bytes: as much control data as the kernel reported (msg_controllen), not the whole buffer.
    @inlinable package init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    package struct Message {
        package let level: Int32
        package let type: Int32
        package let data: UnsafeRawBufferPointer

        @inlinable
        package init(level: Int32, type: Int32, data: UnsafeRawBufferPointer) {
            self.level = level
            self.type = type
            self.data = data
        }

        /// The data as a plain value; `nil` where there are fewer bytes than that.
        @inlinable
        package func load<Value: BitwiseCopyable>(as type: Value.Type) -> Value? {
            guard data.count >= MemoryLayout<Value>.size else { return nil }
            return data.loadUnaligned(as: type)
        }
    }

    @inlinable
    package mutating func next() -> Message? {
        guard rest.count >= MemoryLayout<cmsghdr>.size else { return nil }
        let header = rest.loadUnaligned(as: cmsghdr.self)
        let start = cl_cmsg_len(0)
        // A length below the header's own, or past the end, ends the walk.
        guard header.cmsg_len >= start, header.cmsg_len <= rest.count else { return nil }
        let message = Message(
            level: header.cmsg_level, type: header.cmsg_type,
            data: UnsafeRawBufferPointer(rebasing: rest[start..<header.cmsg_len]))
        let step = Swift.min(cl_cmsg_align(header.cmsg_len), rest.count)
        rest = UnsafeRawBufferPointer(rebasing: rest[step...])
        return message
    }
}

/// Writes control messages for one message to send into memory that the caller owns. Source: cmsg(3).
package struct ControlMessageWriter {
    @usableFromInline let storage: UnsafeMutableRawBufferPointer
    /// Bytes written so far: the message's msg_controllen.
    package var length = 0

    @inlinable package init(_ storage: UnsafeMutableRawBufferPointer) { self.storage = storage }

    /// Appends one control message; `false`, and nothing written, where it does not fit.
    @discardableResult
    @inlinable
    package mutating func append<Value: BitwiseCopyable>(level: Int32, type: Int32, _ value: Value) -> Bool {
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

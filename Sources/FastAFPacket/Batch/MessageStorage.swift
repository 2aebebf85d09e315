import CLinux
import Glibc
import LinuxKernel

/// The memory of one batch: message headers, addresses, control data and packets, allocated once.
///
/// Source: recvmmsg(2), sendmmsg(2).
@usableFromInline
struct MessageStorage: ~Copyable {
    @usableFromInline let capacity: Int
    @usableFromInline let packetBytes: Int
    @usableFromInline let headers: UnsafeMutablePointer<cl_mmsghdr>
    @usableFromInline let vectors: UnsafeMutablePointer<iovec>
    private let memory: UnsafeMutableRawPointer

    /// Room for sockaddr_ll or sockaddr_in6.
    static let nameBytes = 32
    /// Room for the timestamps (80), auxiliary data (40) or the extended error (72), and packet information.
    static let controlBytes = 256

    /// Bytes from one message's memory to the next.
    private let stride: Int

    init(capacity: Int, packetBytes: Int) {
        let capacity = max(1, capacity)
        let packetBytes = max(0, packetBytes)
        stride = Self.nameBytes + Self.controlBytes + (packetBytes + 15) & ~15
        self.capacity = capacity
        self.packetBytes = packetBytes
        headers = .allocate(capacity: capacity)
        vectors = .allocate(capacity: capacity)
        memory = .allocate(byteCount: capacity * stride, alignment: 64)
        // Touched now, so that no page fault occurs during a send or a receive.
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * stride)
        for index in 0..<capacity {
            (vectors + index).initialize(
                to: iovec(iov_base: packetBytes > 0 ? packet(index) : nil, iov_len: packetBytes))
            var header = cl_mmsghdr()
            header.msg_hdr.msg_iov = vectors + index
            header.msg_hdr.msg_iovlen = packetBytes > 0 ? 1 : 0
            (headers + index).initialize(to: header)
        }
    }

    deinit {
        memory.deallocate()
        vectors.deallocate()
        headers.deallocate()
    }

    // `index` is below `capacity`, so that nothing overflows.
    func name(_ index: Int) -> UnsafeMutableRawPointer { memory + index &* stride }
    func control(_ index: Int) -> UnsafeMutableRawPointer { memory + (index &* stride &+ Self.nameBytes) }
    @usableFromInline
    func packet(_ index: Int) -> UnsafeMutableRawPointer {
        memory + (index &* stride &+ Self.nameBytes &+ Self.controlBytes)
    }

    /// Prepares the first `count` headers for receiving.
    func prepareToReceive(count: Int) {
        for index in 0..<count {
            headers[index].msg_hdr.msg_name = name(index)
            headers[index].msg_hdr.msg_control = control(index)
        }
        restoreLengths(count: count)
    }

    /// Prepares the first `count` headers for receiving again: the kernel has replaced these lengths by those that it
    /// used. It also writes msg_flags but does not read them. Source: ____sys_recvmsg() in net/socket.c.
    func restoreLengths(count: Int) {
        for index in 0..<count {
            headers[index].msg_hdr.msg_namelen = socklen_t(Self.nameBytes)
            headers[index].msg_hdr.msg_controllen = Self.controlBytes
        }
    }

    /// The control data that the kernel wrote for a received message.
    func receivedControl(_ index: Int) -> ControlMessages {
        let length = min(Int(headers[index].msg_hdr.msg_controllen), Self.controlBytes)
        return ControlMessages(UnsafeRawBufferPointer(start: control(index), count: length))
    }

    /// Points a message at a packet in the caller's memory.
    func setPacket(_ index: Int, _ bytes: UnsafeMutableRawBufferPointer) {
        vectors[index] = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        headers[index].msg_hdr.msg_iovlen = bytes.isEmpty ? 0 : 1
    }

    /// Sets the length of a packet to send.
    func setPacketLength(_ index: Int, _ length: Int) { vectors[index].iov_len = length }

    /// The bytes of a packet to send.
    func packetToSend(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: vectors[index].iov_base, count: vectors[index].iov_len)
    }

    /// The bytes of a received packet, truncated to its room.
    @inlinable
    func received(_ index: Int) -> UnsafeRawBufferPointer {
        let vector = vectors[index]
        return UnsafeRawBufferPointer(start: vector.iov_base, count: min(Int(headers[index].msg_len), vector.iov_len))
    }
}

import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketRing {
    /// Calls `body` with each ready packet, in place: the packets of one block (v3), or as many frames as fit in a
    /// block (v1, v2). Waits up to ``Configuration/pollTimeout`` for the first one.
    ///
    /// - Parameter body: receives the packet's bytes and its metadata; both are valid only during the call.
    /// - Returns: the number of packets, at least 1.
    /// - Throws: ``RingError``.
    @inlinable
    @discardableResult
    public func readBlock(_ body: (RawSpan, borrowing RingPacket) -> Void) throws(RingError) -> Int {
        try beginReading()
        defer { endReading() }
        var deadline: Int64?
        while true {
            let count = cursor.pointee.readBlock(body)
            if count > 0 { return recorded(count) }
            try wait(until: &deadline)
        }
    }

    /// Calls `body` with each ready packet without waiting, and returns 0 if there is none. An empty read checks the
    /// interface's state, at most every 100 ms.
    @inlinable
    @discardableResult
    public func readBlockNow(_ body: (RawSpan, borrowing RingPacket) -> Void) throws(RingError) -> Int {
        try beginReading()
        defer { endReading() }
        let count = recorded(cursor.pointee.readBlock(body))
        if count == 0 { try checkInterface() }
        return count
    }

    /// Calls `body` with the next packet, in place. Waits for it as ``readBlock(_:)`` does.
    ///
    /// - Returns: the result of `body`.
    /// - Throws: ``RingError``.
    @inlinable
    public func readPacket<Result>(
        _ body: (RawSpan, borrowing RingPacket) -> Result
    ) throws(RingError) -> Result {
        try beginReading()
        defer { endReading() }
        var deadline: Int64?
        while true {
            var result: Result?
            _ = cursor.pointee.readPacket { bytes, packet in result = body(bytes, packet) }
            if let result {
                _ = recorded(1)
                return result
            }
            try wait(until: &deadline)
        }
    }

    /// Copies the next packet into a new array.
    ///
    /// - Throws: ``RingError``.
    public func readPacket() throws(RingError) -> (packet: [UInt8], info: CaptureInfo) {
        try readPacket { bytes, packet in
            (bytes.withUnsafeBytes { [UInt8]($0) }, packet.info)
        }
    }

    /// Copies the next packet into `buffer`.
    ///
    /// - Returns: the packet's metadata. ``CaptureInfo/capturedLength`` is the number of bytes in `buffer`, less than
    ///   ``CaptureInfo/length`` if `buffer` was too short.
    /// - Throws: ``RingError``.
    public func readPacket(into buffer: inout [UInt8]) throws(RingError) -> CaptureInfo {
        try readPacket { bytes, packet in
            var info = packet.info
            info.capturedLength = min(info.capturedLength, buffer.count)
            bytes.withUnsafeBytes { source in
                buffer.withUnsafeMutableBytes {
                    $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<info.capturedLength]))
                }
            }
            return info
        }
    }

    /// Records the packets of one read.
    @inlinable
    func recorded(_ count: Int) -> Int {
        guard count > 0 else { return 0 }
        cursor.pointee.statistics.packets &+= UInt64(count)
        if isDown.load(ordering: .relaxed) { isDown.store(false, ordering: .relaxed) }
        return count
    }

    /// Reports an interface that went down or was deleted, which the ring's memory does not show. Checks at most every
    /// 100 ms, for readers that never wait.
    @usableFromInline
    func checkInterface() throws(RingError) {
        let now = ClockID.monotonic.now()
        guard now &- cursor.pointee.lastCheck > 100_000_000 else { return }
        cursor.pointee.lastCheck = now
        try pollOnce(timeout: 0)
    }

    /// Waits for a packet.
    ///
    /// - Parameter deadline: the time at which the read returns `timeout`, CLOCK_MONOTONIC; set by the read's first
    ///   wait.
    @usableFromInline
    func wait(until deadline: inout Int64?) throws(RingError) {
        var timeout: Int64 = -1
        if let pollTimeout {
            let now = ClockID.monotonic.now()
            let end = deadline ?? now.addingReportingOverflow(pollTimeout).partialValue
            deadline = end
            // The socket is always polled at least once.
            timeout = max(0, end &- now)
        }
        let isDown = isDown.load(ordering: .relaxed)
        let slice =
            isDown && !(0..<PacketConn.downPollIntervalNanoseconds).contains(timeout)
            ? PacketConn.downPollIntervalNanoseconds : timeout
        cursor.pointee.statistics.polls &+= 1
        if try !pollOnce(timeout: slice), slice == timeout { throw .timeout }
    }

    /// Polls the socket once.
    ///
    /// - Parameter timeout: in nanoseconds; a negative value waits indefinitely.
    /// - Returns: true if an event or a signal ended the wait.
    @discardableResult
    private func pollOnce(timeout: Int64) throws(RingError) -> Bool {
        let events: Int32?
        do throws(SystemError) {
            events = try poll("wait for packets", for: POLLIN, timeout: timeout)
        } catch {
            throw .failed(error)
        }
        if let events {
            if events & POLLERR != 0 {
                let error = pendingError()
                if !isOpen { throw .failed(RingError.closed("wait for packets")) }
                // Another thread that sends may already have received the error.
                if error.code != 0 { throw .pollFailed(error) }
            }
            return true
        }
        if isDown.load(ordering: .relaxed), socket.isBoundInterfaceGone {
            throw .pollFailed(SystemError("wait for packets", code: ENXIO, remedy: "The interface has been deleted."))
        }
        return false
    }

    /// Waits for the socket, or until the ring is closed.
    ///
    /// - Parameter timeout: in nanoseconds; a negative value waits indefinitely.
    /// - Returns: the socket's events, empty after a signal; `nil` after the timeout.
    /// - Throws: EBADF once closed.
    @discardableResult
    func poll(_ operation: StaticString, for events: Int32, timeout: Int64) throws(SystemError) -> Int32? {
        var entries = (
            pollfd(fd: socket.rawValue, events: Int16(events), revents: 0),
            pollfd(fd: closing.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        )
        let ready = withUnsafeMutableBytes(of: &entries) { bytes in
            cl_ppoll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, timeout)
        }
        if !isOpen { throw RingError.closed(operation) }
        if ready < 0, ready != -EINTR { throw SystemError(operation, code: -ready) }
        return ready == 0 ? nil : Int32(entries.0.revents)
    }

    /// Reads and clears the socket's pending error.
    private func pendingError() -> SystemError {
        let error = socket.takePendingError()
        if error == ENETDOWN { isDown.store(true, ordering: .relaxed) }
        let remedy =
            error == ENETDOWN ? "The interface is down. Bring it up: `ip link set \(interface?.name ?? "…") up`." : nil
        return SystemError("wait for packets", code: error, remedy: remedy)
    }
}

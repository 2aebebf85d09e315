import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketRing {
    /// Calls `body` with each packet that is ready, in place: a block's (v3), or up to as many frames as a block holds.
    /// Waits for the first one for ``Configuration/pollTimeout``.
    ///
    /// - Parameter body: gets the packet's bytes and what the kernel told of it, both for the time of the call only.
    /// - Returns: the number of packets; at least 1.
    /// - Throws: ``RingError``.
    @inlinable
    @discardableResult
    public func readBlock(_ body: (RawSpan, borrowing RingPacket) -> Void) throws(RingError) -> Int {
        try beginReading()
        defer { endReading() }
        var deadline: Int64?
        while true {
            let count = cursor.pointee.readBlock(body)
            if count > 0 { return noted(count) }
            try wait(until: &deadline)
        }
    }

    /// The same without waiting: 0 where no packet is ready. What became of the interface is looked at from time to time.
    @inlinable
    @discardableResult
    public func readBlockNow(_ body: (RawSpan, borrowing RingPacket) -> Void) throws(RingError) -> Int {
        try beginReading()
        defer { endReading() }
        let count = noted(cursor.pointee.readBlock(body))
        if count == 0 { try checkInterface() }
        return count
    }

    /// Calls `body` with the next packet, in place, waiting for it as ``readBlock(_:)`` does.
    ///
    /// - Returns: what `body` returns.
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
                _ = noted(1)
                return result
            }
            try wait(until: &deadline)
        }
    }

    /// Copies the next packet into an array of its own.
    ///
    /// - Throws: ``RingError``.
    public func readPacket() throws(RingError) -> (packet: [UInt8], info: CaptureInfo) {
        try readPacket { bytes, packet in
            (bytes.withUnsafeBytes { [UInt8]($0) }, packet.info)
        }
    }

    /// Copies the next packet into `buffer`.
    ///
    /// - Returns: what the kernel told of it; ``CaptureInfo/capturedLength`` is the number of bytes in `buffer`, less
    ///   than ``CaptureInfo/length`` where it was too short.
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

    /// Enters what one read brought.
    @inlinable
    func noted(_ count: Int) -> Int {
        guard count > 0 else { return 0 }
        cursor.pointee.statistics.packets &+= UInt64(count)
        if isDown.load(ordering: .relaxed) { isDown.store(false, ordering: .relaxed) }
        return count
    }

    /// Tells of an interface that went down or away, which a ring's memory does not: every 100 ms, for somebody who reads
    /// without ever waiting.
    @usableFromInline
    func checkInterface() throws(RingError) {
        let now = ClockID.monotonic.now()
        guard now &- cursor.pointee.lastCheck > 100_000_000 else { return }
        cursor.pointee.lastCheck = now
        try look(timeout: 0)
    }

    /// Waits for a packet.
    ///
    /// - Parameter deadline: when the read gives up, CLOCK_MONOTONIC; set by its first wait.
    @usableFromInline
    func wait(until deadline: inout Int64?) throws(RingError) {
        var timeout: Int64 = -1
        if let pollTimeout {
            let now = ClockID.monotonic.now()
            let end = deadline ?? now.addingReportingOverflow(pollTimeout).partialValue
            deadline = end
            // The first look is always taken.
            timeout = max(0, end &- now)
        }
        let isDown = isDown.load(ordering: .relaxed)
        let slice = isDown && !(0..<PacketConn.downPeriod).contains(timeout) ? PacketConn.downPeriod : timeout
        cursor.pointee.statistics.polls &+= 1
        if try !look(timeout: slice), slice == timeout { throw .timeout }
    }

    /// Polls the socket once.
    ///
    /// - Parameter timeout: nanoseconds; below zero for ever.
    /// - Returns: whether something happened before that.
    @discardableResult
    private func look(timeout: Int64) throws(RingError) -> Bool {
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
                // Another thread that sends may have been told of it.
                if error.code != 0 { throw .pollFailed(error) }
            }
            return true
        }
        if isDown.load(ordering: .relaxed), socket.isBoundInterfaceGone {
            throw .pollFailed(SystemError("wait for packets", code: ENXIO, remedy: "The interface is gone."))
        }
        return false
    }

    /// Waits for the socket, or until the ring is closed.
    ///
    /// - Parameter timeout: nanoseconds; below zero for ever.
    /// - Returns: what happened to the socket, none after a signal; `nil` after the timeout.
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

    /// The socket's error, which asking takes away.
    private func pendingError() -> SystemError {
        let error = socket.takePendingError()
        if error == ENETDOWN { isDown.store(true, ordering: .relaxed) }
        let remedy =
            error == ENETDOWN ? "The interface is down: `ip link set \(interface?.name ?? "…") up`." : nil
        return SystemError("wait for packets", code: error, remedy: remedy)
    }
}

import FastAFPacket
import Foundation
import LinuxKernel
import Testing

/// Opening, waiting, closing, and interfaces that go down or are deleted.
@Suite(.needsRoot, .vethPair)
struct RingLifeTests {
    static let versions = PacketRing.Version.allCases

    private func isClosed(_ error: RingError?) -> Bool {
        if case .failed(let error)? = error { error.code == EBADF } else { false }
    }

    private func pollCode(_ error: RingError?) -> Int32? {
        if case .pollFailed(let error)? = error { error.code } else { nil }
    }

    @Test("A read ends at the poll timeout and not early, and the ring continues", arguments: versions)
    func timeout(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.version = version
            $0.pollTimeout = .milliseconds(30)
        }
        let start = ClockID.monotonic.now()
        #expect(ringError { () throws(RingError) in _ = try ring.readPacket() } == .timeout)
        #expect(ClockID.monotonic.now() - start >= 30_000_000)
        #expect(ring.statistics.polls == 1 && ring.statistics.packets == 0)
        #expect(ringError { () throws(RingError) in try ring.readBlock { _, _ in } } == .timeout)
        try pair.listen(.left).sendFrames([5])
        #expect(try ring.readNumbers(1) == [5])
        #expect(try ring.readBlockNow { _, _ in } == 0)
    }

    @Test("A v3 block that is not full is delivered after the block timeout")
    func blockTimeout() throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) { $0.blockTimeout = .milliseconds(80) }
        let sender = try pair.listen(.left)
        // The kernel's timer already runs, so only the second block's time is known.
        try sender.sendFrames([0])
        _ = try ring.readNumbers(1)
        try sender.sendFrames([1])
        let (stamp, now) = try ring.readPacket { _, packet in (packet.stamp, ClockID.realtime.now()) }
        #expect((60_000_000..<2_000_000_000).contains(now - stamp))
    }

    @Test("Close wakes the waiting thread and releases the socket", arguments: versions)
    func closeWhileWaiting(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.version = version
            $0.pollTimeout = nil
        }
        #expect(try sockets(pair) == 1)
        let reader = Background { () throws(RingError) in try ring.readBlock { _, _ in } }
        try reader.untilBlocked()
        ring.close()
        guard case .failure(let error) = try reader.result() else {
            Issue.record("the read returned")
            return
        }
        #expect(isClosed(error))
        #expect(try sockets(pair) == 0)
    }

    @Test("Close wakes a thread that waits to send")
    func closeWhileWriting() throws {
        let ring = try slowPair().ring(.left)
        let writer = Background { () throws(SystemError) in while true { try ring.write(frame(payload: 1400)) } }
        try writer.untilBlocked()
        ring.close()
        #expect(try writer.errorCode() == EBADF)
    }

    @Test("Closing while a packet is handled keeps its memory until the handler returns")
    func closeWhileReading() throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right)
        try pair.listen(.left).sendFrames(0..<3)
        var numbers: [UInt32] = []
        try ring.readBlock { bytes, _ in
            ring.close()
            numbers.append(number(in: bytes))
        }
        #expect(numbers.first == 0)
        #expect(try sockets(pair) == 0)
        #expect(isClosed(ringError { () throws(RingError) in try ring.readBlock { _, _ in } }))
    }

    @Test("Calls on a closed ring give EBADF")
    func afterwards() throws {
        let ring = try VethPair.current.ring(.right)
        ring.close()
        ring.close()
        #expect(isClosed(ringError { () throws(RingError) in _ = try ring.readPacket() }))
        #expect(isClosed(ringError { () throws(RingError) in try ring.readBlockNow { _, _ in } }))
        #expect(errorCode { () throws(SystemError) in try ring.write(frame()) } == EBADF)
        #expect(errorCode { () throws(SystemError) in try ring.setFilter(.dropAll) } == EBADF)
        #expect(errorCode { () throws(SystemError) in _ = try ring.socketStatistics() } == EBADF)
        #expect(errorCode(ring.resetStatistics) == EBADF)
    }

    @Test("A second thread that reads gets EBUSY")
    func twoReaders() throws {
        let ring = try VethPair.current.ring(.right) { $0.pollTimeout = nil }
        let reader = Background { () throws(RingError) in try ring.readBlock { _, _ in } }
        try reader.untilBlocked()
        guard case .failed(let error)? = ringError({ () throws(RingError) in try ring.readBlockNow { _, _ in } }) else {
            Issue.record("the second read did not fail")
            return
        }
        #expect(error.code == EBUSY)
        ring.close()
        _ = try reader.result()
    }

    @Test("Closing in full traffic ends the reader with EBADF", arguments: versions)
    func closeInTraffic(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left)
        for _ in 0..<20 {
            let ring = try pair.ring(.right) { $0.version = version }
            let reader = Background { () throws(RingError) in while true { try ring.readBlock { _, _ in } } }
            try sender.sendFrames(0..<100)
            _ = eventually { ring.statistics.packets > 0 }
            let closer = Background { ring.close() }
            try sender.sendFrames(0..<100)
            try closer.result().get()
            if case .failure(let error) = try reader.result() { #expect(isClosed(error)) }
        }
        #expect(try sockets(pair) == 0)
    }

    @Test("A released ring is closed")
    func dropped() throws {
        let pair = try VethPair.current
        do {
            let ring = try pair.ring(.right)
            #expect(try sockets(pair) == 1 && ring.interface != nil)
        }
        #expect(try sockets(pair) == 0)
    }

    @Test(
        "An interface that goes down causes one poll error, and the ring continues when it is up", arguments: versions)
    func downAndUp(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.version = version
            $0.pollTimeout = nil
        }
        let reader = Background { () throws(RingError) in try ring.readNumbers(1) }
        try reader.untilBlocked()
        try pair.ip(.right, "link set \(VethPair.interfaceName) down")
        guard case .failure(let error) = try reader.result() else {
            Issue.record("the read returned")
            return
        }
        #expect(pollCode(error) == ENETDOWN && error.description.contains("ip link set"))
        let second = Background { () throws(RingError) in try ring.readNumbers(1) }
        try second.untilBlocked()
        try pair.ip(.right, "link set \(VethPair.interfaceName) up")
        for side in [VethPair.Side.left, .right] { try pair.waitUntilActive(side) }
        try pair.listen(.left).sendFrames([2])
        #expect(try second.result().get() == [2])
    }

    @Test("The deletion of an interface is reported and no read hangs", arguments: [nil, Duration.seconds(60)])
    func deleted(timeout: Duration?) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) { $0.pollTimeout = timeout }
        let reader = Background { () throws(RingError) in try ring.readNumbers(1) }
        try reader.untilBlocked()
        try pair.ip(.right, "link set \(VethPair.interfaceName) down")
        guard case .failure(let down) = try reader.result(), pollCode(down) == ENETDOWN else {
            Issue.record("the interface that went down was not reported")
            return
        }
        // The interface is down already, so the kernel does not report the deletion.
        let second = Background { () throws(RingError) in try ring.readNumbers(1) }
        try second.untilBlocked()
        try pair.ip(.right, "link del \(VethPair.interfaceName)")
        guard case .failure(let gone) = try second.result() else {
            Issue.record("the read returned")
            return
        }
        #expect(pollCode(gone) == ENXIO)
    }

    @Test("The deletion of an interface is reported to a thread that reads without waiting")
    func deletedWithoutWaiting() throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right)
        try pair.ip(.right, "link del \(VethPair.interfaceName)")
        var codes: [Int32?] = []
        let isTold = eventually {
            let error = ringError { () throws(RingError) in try ring.readBlockNow { _, _ in } }
            if error != nil { codes.append(pollCode(error)) }
            return codes.count == 2
        }
        #expect(isTold && codes == [ENETDOWN, ENXIO])
    }

    @Test("An interface that is down is rejected with a remedy")
    func refusedInterface() throws {
        let pair = try VethPair.current
        try pair.ip(.right, "link set \(VethPair.interfaceName) down")
        var failure: SystemError?
        do throws(SystemError) { _ = try pair.ring(.right) } catch { failure = error }
        #expect(failure?.code == ENETDOWN && failure?.remedy?.contains("ip link set") == true)
        #expect(try sockets(pair) == 0)
    }

    @Test("An invalid geometry is rejected, and the error names the invalid value")
    func shapes() throws {
        let pair = try VethPair.current
        let changes: [(String, (inout PacketRing.Configuration) -> Void)] = [
            ("frameSize 100 ", { $0.frameSize = 100 }), ("frameSize 2049 ", { $0.frameSize = 2049 }),
            ("frameSize -16 ", { $0.frameSize = -16 }), ("blockSize 1000 ", { $0.blockSize = 1000 }),
            ("blockSize 4097 ", { $0.blockSize = 4097 }), ("blockSize -4096 ", { $0.blockSize = -4096 }),
            ("blockSize 1073745920 ", { $0.blockSize = 1 << 30 + 4096 }), ("blockCount 0 ", { $0.blockCount = 0 }),
            ("blockCount -1 ", { $0.blockCount = -1 }), ("blockCount \(Int.max) ", { $0.blockCount = .max }),
        ]
        for (value, change) in changes {
            var failure: SystemError?
            do throws(SystemError) { _ = try pair.ring(.right, change) } catch { failure = error }
            #expect(failure?.code == EINVAL && failure?.remedy?.contains(value) == true, "\(value)")
        }
        #expect(try sockets(pair) == 0)
    }

    @Test(
        "Extreme timeouts wait indefinitely or end at once",
        arguments: [Duration.seconds(Int64.max), .seconds(-1), .zero, .nanoseconds(1)])
    func durations(duration: Duration) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.pollTimeout = duration
            $0.blockTimeout = min(duration, .seconds(1))
        }
        if duration < .seconds(1) {
            #expect(ringError { () throws(RingError) in _ = try ring.readPacket() } == .timeout)
        } else {
            let reader = Background { () throws(RingError) in try ring.readPacket() }
            try reader.untilBlocked()
            ring.close()
            guard case .failure(let error) = try reader.result() else {
                Issue.record("the read returned")
                return
            }
            #expect(isClosed(error))
        }
    }

    @Test("The kernel's counts and the reader's add up, and are reset together", arguments: versions)
    func statistics(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left)
        let ring = try pair.ring(.right) { $0.version = version }
        for round in 1...3 {
            try sender.sendFrames(0..<10)
            _ = try ring.readNumbers(10)
            let totals = try ring.socketStatistics()
            #expect(totals.packets == UInt64(10 * round) && totals.drops == 0)
            #expect(ring.statistics.packets == UInt64(10 * round))
            #expect(ring.statistics.polls <= ring.statistics.packets)
        }
        // 128 KiB hold 64 frames with v1 and v2.
        for start in stride(from: 0, to: 2000, by: 100) as StrideTo<UInt32> {
            try sender.sendFrames(start..<start + 100, payload: 1000)
        }
        var full = try ring.socketStatistics()
        #expect(full.packets == 2030 && full.drops > 1000)
        #expect(version != .v3 || full.queueFreezes > 0)
        try ring.resetStatistics()
        full = try ring.socketStatistics()
        #expect(full == Statistics() && ring.statistics == RingStatistics())
        var left = 0
        while try ring.readBlockNow({ _, _ in left += 1 }) > 0 {}
        #expect(left > 0 && ring.statistics.packets == UInt64(left))
    }

    /// The number of packet sockets in the right side's namespace.
    private func sockets(_ pair: VethPair) throws -> Int {
        try pair.output(.right, ["cat", "/proc/net/packet"]).split(separator: "\n").count - 1
    }
}

import FastAFPacket
import Glibc
import LinuxKernel
import Testing

@Suite(.needsRoot, .vethPair)
struct DeadlineTests {
    @Test(
        "The read deadline ends a receive and a wait for transmit timestamps, and not early",
        arguments: [true, false])
    func read(dual: Bool) throws {
        let connection = try VethPair.current.listen(.left, dual: dual)
        var batch = ReceiveBatch(capacity: 1, packetBytes: 64)
        var stamps = StampBatch(capacity: 1)
        var end = soon(0.02)
        connection.setReadDeadline(monotonic: end)
        #expect(errorCode { () throws(SystemError) in try connection.receive(&batch) } == ETIMEDOUT)
        #expect(ClockID.monotonic.now() >= end)
        end = soon(0.02)
        connection.setReadDeadline(monotonic: end)
        #expect(errorCode { () throws(SystemError) in try connection.receiveTransmitStamps(&stamps) } == ETIMEDOUT)
        #expect(ClockID.monotonic.now() >= end)
    }

    @Test("A deadline in the distant past ends a wait at once", arguments: [Int64.min, -1, 0])
    func past(deadline: Int64) throws {
        let connection = try VethPair.current.listen(.left)
        connection.setReadDeadline(monotonic: deadline)
        let reader = Background { () throws(SystemError) in _ = try connection.receiveNumber() }
        #expect(try reader.errorCode() == ETIMEDOUT)
        let signal = try EventSignal()
        let waiter = Background { () throws(SystemError) in
            try connection.waitForActivity(until: deadline, signal: signal)
        }
        #expect(try waiter.result().get() == [])
    }

    @Test("A packet that is ready is received although the deadline has passed")
    func pastButThere() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right)
        try pair.listen(.left).sendFrames([7])
        #expect(try receiver.receiveNumbers(1) == [7])
        receiver.setReadDeadline(monotonic: 0)
        try pair.listen(.left).sendFrames([8])
        #expect(try receiver.receiveNumber() == 8)
    }

    @Test("The write deadline ends a send that has no room", arguments: [true, false])
    func write(dual: Bool) throws {
        let connection = try slowPair().listen(.left, dual: dual)
        connection.setWriteDeadline(monotonic: soon(0.1))
        let sender = Background { () throws(SystemError) in try fill(connection) }
        #expect(try sender.errorCode() == ETIMEDOUT)
        // The other half has no deadline.
        let reader = Background { () throws(SystemError) in _ = try connection.receiveNumber() }
        try reader.untilBlocked()
        connection.close()
        #expect(try reader.errorCode() == EBADF)
    }

    @Test("A send that has no room continues when there is room")
    func room() throws {
        let pair = try slowPair()
        let connection = try pair.listen(.left)
        let sender = Background { () throws(SystemError) in try connection.sendFrames(0..<1000, payload: 1400) }
        try sender.untilBlocked()
        try pair.run(.left, ["tc", "qdisc", "del", "dev", VethPair.interfaceName, "root"])
        try sender.result().get()
    }

    @Test("setDeadline wakes threads that already wait, on both halves", arguments: [true, false])
    func wakes(dual: Bool) throws {
        let connection = try slowPair().listen(.left, dual: dual)
        let sender = Background { () throws(SystemError) in try fill(connection) }
        try sender.untilBlocked()
        let receiver = Background { () throws(SystemError) in _ = try connection.receiveNumber() }
        try receiver.untilBlocked()
        let stamps = Background { () throws(SystemError) in
            while true { _ = try connection.receiveStampsForever() }
        }
        try stamps.untilBlocked()
        connection.setDeadline(monotonic: soon(0.01))
        #expect(try receiver.errorCode() == ETIMEDOUT)
        #expect(try stamps.errorCode() == ETIMEDOUT)
        #expect(try sender.errorCode() == ETIMEDOUT)
    }

    @Test("A deadline that is removed does not end a wait")
    func removed() throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.right)
        connection.setReadDeadline(monotonic: soon(0.2))
        let receiver = Background { () throws(SystemError) in try connection.receiveNumber() }
        try receiver.untilBlocked()
        let old = soon(0.2)
        connection.setReadDeadline(monotonic: nil)
        while ClockID.monotonic.now() < old { usleep(10_000) }
        try receiver.untilBlocked()
        try pair.listen(.left).sendFrames([3])
        #expect(try receiver.result().get() == 3)
    }
}

extension PacketConn {
    /// The number of the next frame; waits until the read deadline.
    func receiveNumber() throws(SystemError) -> UInt32 {
        var batch = ReceiveBatch(capacity: 1, packetBytes: 64)
        try receive(&batch)
        var found: UInt32 = .max
        batch.forEach { bytes, _ in found = number(in: bytes) }
        return found
    }

    func receiveStampsForever() throws(SystemError) -> Int {
        var batch = StampBatch(capacity: 64)
        return try receiveTransmitStamps(&batch)
    }
}

/// The test's pair, whose left side sends next to nothing, so that a socket's send buffer fills.
func slowPair() throws -> VethPair {
    let pair = try VethPair.current
    let qdisc = "qdisc add dev \(VethPair.interfaceName) root tbf rate 8kbit burst 2000 limit 100000000"
    try pair.run(.left, ["tc"] + qdisc.split(separator: " ").map(String.init))
    return pair
}

/// Sends until the connection has no room, and then waits.
func fill(_ connection: PacketConn) throws(SystemError) {
    while true { try connection.sendFrames(0..<64, payload: 1400) }
}

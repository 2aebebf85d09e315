import FastAFPacket
import Glibc
import LinuxKernel
import Synchronization
import Testing

/// Calls for one packet, from one thread and from many.
@Suite(.needsRoot, .vethPair)
struct SinglePacketTests {
    @Test("A packet is written to the caller's buffer, and nothing after it")
    func straight() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right)
        let sender = try pair.listen(.left)
        receiver.setReadDeadline(monotonic: soon())
        // Longer and shorter buffers alternate, to show that no call reuses an earlier call's buffer.
        for (number, room) in [(1, 256), (2, 20), (3, 100), (4, 0), (5, 61)] as [(UInt32, Int)] {
            try sender.sendFrames([number])
            var buffer = [UInt8](repeating: 0xEE, count: room)
            let (count, packet) = try receiver.receive(into: &buffer)
            #expect(count == min(60, room) && packet.isTruncated == (room < 60) && packet.length == 60)
            #expect(
                buffer == Array((frame(number) + [UInt8](repeating: 0xEE, count: 256)).prefix(count))
                    + [UInt8](repeating: 0xEE, count: room - count))
        }
    }

    @Test(
        "Many threads that wait for one packet or timestamp each all get one",
        arguments: [true, false])
    func manyReceivers(dual: Bool) throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right, dual: dual)
        let sender = try pair.listen(.left, dual: dual)
        for round in 0..<50 as Range<UInt32> {
            let ids = (0..<8).map { 8 * round + $0 }
            let receivers = ids.map { _ in Background { () throws(SystemError) in try receiver.receiveOne() } }
            let stampReaders = (0..<16).map { _ in Background { () throws(SystemError) in try sender.receiveOneStamp() }
            }
            if round % 2 == 0 { for thread in receivers + stampReaders { try thread.untilBlocked() } }
            try sender.sendFrames(ids)
            #expect(try receivers.map { try $0.result().get() }.sorted() == ids)
            #expect(try stampReaders.map { try $0.result().get() }.sorted() == ids.flatMap { [$0, $0] })
        }
    }

    @Test("Many threads that send at once keep their packets' ids", arguments: StampTests.Way.all)
    func manySenders(way: StampTests.Way) throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right)
        let sender = try pair.listen(.left, dual: way.dual) {
            $0.identifiers = way.identifiers
            $0.stampsCarryPacket = true
            $0.transmitStamps = .software
        }
        let isGo = try Start()
        let threads = (0..<4 as Range<UInt32>).map { thread in
            Background { () throws(SystemError) in
                _ = try isGo.signal.descriptor.waitForInput(timeout: 5_000_000_000)
                for number in 0..<1000 as Range<UInt32> {
                    let id = thread << 16 | number
                    // Some packets are rejected.
                    if number % 10 == 5 {
                        _ = errorCode { () throws(SystemError) in try sender.writeTo(frame(id, payload: 1502), id: 1) }
                    }
                    try sender.writeTo(frame(id), id: id)
                }
            }
        }
        isGo.signal.raise()
        var ids: Set<UInt32> = []
        var buffer = [UInt8](repeating: 0, count: 256)
        sender.setReadDeadline(monotonic: soon())
        for _ in 0..<4000 {
            let (count, stamp) = try sender.receiveTransmitStamp(into: &buffer)
            // The packet returned with the timestamp identifies the send.
            #expect(count == 60 && stamp.id == number(in: buffer.span.bytes))
            ids.insert(stamp.id)
        }
        for thread in threads { try thread.result().get() }
        #expect(ids.count == 4000)
        #expect(try Set(receiver.receiveNumbers(4000)) == ids)
    }

    @Test(
        "Close and a deadline wake every thread in the same call", arguments: [true, false], [true, false])
    func wakesAll(closes: Bool, dual: Bool) throws {
        let connection = try VethPair.current.listen(.left, dual: dual)
        let threads =
            (0..<6).map { _ in Background { () throws(SystemError) in _ = try connection.receiveOne() } }
            + (0..<6).map { _ in Background { () throws(SystemError) in _ = try connection.receiveOneStamp() } }
        for thread in threads { try thread.untilBlocked() }
        if closes { connection.close() } else { connection.setReadDeadline(monotonic: soon(0.01)) }
        for thread in threads { #expect(try thread.errorCode() == (closes ? EBADF : ETIMEDOUT)) }
    }
}

/// A signal that starts several threads together.
private final class Start: Sendable {
    let signal: EventSignal

    init() throws(SystemError) { signal = try EventSignal() }
}

extension PacketConn {
    /// The number of one frame.
    fileprivate func receiveOne() throws(SystemError) -> UInt32 {
        var buffer = [UInt8](repeating: 0, count: 128)
        _ = try receive(into: &buffer)
        return number(in: buffer.span.bytes)
    }

    /// The id of one transmit timestamp.
    fileprivate func receiveOneStamp() throws(SystemError) -> UInt32 {
        var buffer: [UInt8] = []
        return try receiveTransmitStamp(into: &buffer).stamp.id
    }
}

import FastAFPacket
import Glibc
import LinuxKernel
import Testing

@Suite(.needsRoot, .vethPair)
struct SendTests {
    @Test("A frame above the MTU gives EMSGSIZE, and the connection continues", arguments: StampTests.Way.all)
    func tooLong(way: StampTests.Way) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, dual: way.dual) { $0.identifiers = way.identifiers }
        let receiver = try pair.listen(.right)
        try connection.sendFrames([1], payload: 1500)
        // 1501 to 1504: the kernel allows room for a VLAN tag, and checks again after counting the packet.
        for payload in [1501, 1502, 1504, 1505, 5000] {
            let code = errorCode { () throws(SystemError) in try connection.sendFrames([2], payload: payload) }
            #expect(code == EMSGSIZE, "\(payload)")
        }
        try connection.sendFrames([3])
        #expect(try receiver.receiveNumbers(2) == [1, 3])
        #expect(try connection.receiveStamps(4).map(\.id).sorted() == [1, 1, 3, 3])
    }

    @Test(
        "A batch is sent up to an invalid packet, the next send throws its error, and later packets keep their ids",
        arguments: StampTests.Way.all)
    func badPacketInside(way: StampTests.Way) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, dual: way.dual) { $0.identifiers = way.identifiers }
        let receiver = try pair.listen(.right)
        var batch = SendBatch(capacity: 6, packetBytes: 1600)
        for id in 10..<16 as Range<UInt32> {
            let bytes = frame(id, payload: id == 12 || id == 14 ? 1501 : 46)
            batch.append(id: id) { span in
                span.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
                return bytes.count
            }
        }
        var sent = try connection.send(&batch)
        #expect(sent == 2)
        var code = errorCode { () throws(SystemError) in _ = try connection.send(&batch, from: 2) }
        #expect(code == EMSGSIZE)
        sent = try connection.send(&batch, from: 3)
        #expect(sent == 1)
        code = errorCode { () throws(SystemError) in _ = try connection.send(&batch, from: 4) }
        #expect(code == EMSGSIZE)
        sent = try connection.send(&batch, from: 5)
        #expect(sent == 1)
        sent = try connection.send(&batch, from: 6)
        #expect(sent == 0)
        #expect(try receiver.receiveNumbers(4) == [10, 11, 13, 15])
        #expect(try connection.receiveStamps(8).map(\.id).sorted() == [10, 10, 11, 11, 13, 13, 15, 15])
    }

    @Test(
        "Packets that the interface's queue rejects give ENOBUFS, and later packets keep their ids",
        arguments: StampTests.Way.all)
    func queueFull(way: StampTests.Way) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, dual: way.dual) { $0.identifiers = way.identifiers }
        let receiver = try pair.listen(.right)
        // Room for one short frame in the queue, and for one in the token bucket.
        let qdisc = "tc qdisc add dev \(VethPair.interfaceName) root tbf rate 1mbit burst 200 limit 200"
        try pair.run(.left, qdisc.split(separator: " ").map(String.init))
        var (sent, refused) = ([UInt32](), 0)
        var batch = SendBatch(capacity: 32, packetBytes: 200)
        for id in 0..<32 as Range<UInt32> {
            let bytes = frame(id, payload: 100)
            batch.append(id: id) { span in
                span.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
                return bytes.count
            }
        }
        var index = 0
        while index < batch.count {
            let count = try connection.sendUnlessRefused(&batch, from: index)
            if count == 0 { refused += 1 }
            sent += (index..<index + count).map { UInt32($0) }
            index += max(1, count)
        }
        #expect(refused > 0 && !sent.isEmpty && sent.count + refused == 32)
        try pair.run(.left, ["tc", "qdisc", "del", "dev", VethPair.interfaceName, "root"])
        try connection.sendFrames([100])
        let received = try receiver.receiveNumbers(until: 100)
        #expect(Set(received).isSubset(of: Set(sent + [100])))
        let stamps = try connection.receiveStamps(1000, seconds: 0.2)
        // Only a packet that was sent has a driver transmit timestamp, and the timestamp has the packet's id.
        #expect(stamps.filter { $0.stage == .sent }.map(\.id) == received)
        #expect(stamps.filter { $0.stage == .sched }.map(\.id).contains(100))
    }

    @Test("An empty packet gives EINVAL and is not sent")
    func empty() throws {
        let connection = try VethPair.current.listen(.left)
        #expect(errorCode { () throws(SystemError) in try connection.writeTo([], id: 1) } == EINVAL)
        var batch = SendBatch(capacity: 2, packetBytes: 16)
        let isAdded = batch.append(id: 1) { _ in 0 }
        let counts = [batch.count, try connection.send(&batch), try connection.send(&batch, from: -1)]
        #expect(!isAdded && counts == [0, 0, 0])
    }

    @Test("A batch accepts no packet beyond its capacity, none longer than its room, and can be reused")
    func capacity() throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left)
        var batch = SendBatch(capacity: 2, packetBytes: 64)
        var isAdded = batch.append(id: 9) { $0.byteCount + 1 }
        #expect(!isAdded)
        for round in 0..<3 as Range<UInt32> {
            batch.removeAll()
            for id in [2 * round, 2 * round + 1] {
                isAdded = batch.append(id: id) { span in
                    span.withUnsafeMutableBytes { $0.copyBytes(from: frame(id)) }
                    return 60
                }
                #expect(isAdded)
            }
            isAdded = batch.append(id: 9) { _ in 60 }
            let (isFull, sent) = (batch.isFull, try connection.send(&batch))
            #expect(isFull && !isAdded && sent == 2)
        }
        #expect(try connection.receiveStamps(12).map(\.id).sorted() == (0..<6).flatMap { [$0, $0] })
    }

    @Test("Without transmit timestamps frames are sent and no timestamp arrives")
    func noStamps() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right)
        let connection = try pair.listen(.left) { $0.transmitStamps = [] }
        #expect(connection.transmitStamps.isEmpty)
        try connection.sendFrames(0..<5)
        #expect(try receiver.receiveNumbers(5) == Array(0..<5))
        #expect(try connection.receiveStamps(1, seconds: 0.05).isEmpty)
    }

    @Test("Only the requested kinds of timestamps arrive", arguments: [TransmitStampKinds.sched, .software])
    func oneKind(kinds: TransmitStampKinds) throws {
        let connection = try VethPair.current.listen(.left) { $0.transmitStamps = kinds }
        try connection.sendFrames(0..<5)
        let stamps = try connection.receiveStamps(6, seconds: 0.05)
        #expect(stamps.map(\.id) == Array(0..<5) && stamps.allSatisfy { $0.kinds == kinds })
    }

    @Test(
        "A timestamp returns its packet if requested, and no bytes otherwise", arguments: [true, false])
    func carriesPacket(carries: Bool) throws {
        let connection = try VethPair.current.listen(.left) {
            $0.stampsCarryPacket = carries
            $0.transmitStamps = .software
        }
        try connection.sendFrames([0x01020304])
        connection.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: 256)
        let (count, stamp) = try connection.receiveTransmitStamp(into: &buffer)
        #expect(stamp.id == 0x01020304 && stamp.stage == .sent && stamp.stamps.software != nil)
        #expect(Array(buffer[..<count]) == (carries ? frame(0x01020304) : []))
    }
}

extension PacketConn {
    /// As ``send(_:from:)``; 0 if the interface's queue was full.
    fileprivate func sendUnlessRefused(_ batch: inout SendBatch, from index: Int) throws(SystemError) -> Int {
        do throws(SystemError) {
            return try send(&batch, from: index)
        } catch {
            if error.code == ENOBUFS { return 0 }
            throw error
        }
    }

    /// The numbers of the frames that arrive, up to and including `last`.
    func receiveNumbers(until last: UInt32) throws(SystemError) -> [UInt32] {
        var numbers: [UInt32] = []
        while !numbers.contains(last) {
            let more = try receiveNumbers(1)
            if more.isEmpty { break }
            numbers += more
        }
        return numbers
    }
}

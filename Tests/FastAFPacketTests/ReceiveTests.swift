import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@Suite(.needsRoot, .vethPair)
struct ReceiveTests {
    @Test("A frame longer than the buffer is marked, with its real length", arguments: [true, false])
    func truncated(dual: Bool) throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right, dual: dual)
        try pair.listen(.left).sendFrames([5, 6, 7], payload: 500)
        receiver.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0xEE, count: 100)
        let (count, packet) = try receiver.receive(into: &buffer)
        #expect(count == 100 && packet.isTruncated && packet.length == 514)
        #expect(buffer == Array(frame(5, payload: 500)[..<100]))
        #expect(errorCode { () throws(SystemError) in _ = try receiver.readFrom(into: &buffer) } == EMSGSIZE)
        var batch = ReceiveBatch(capacity: 4, packetBytes: 64)
        try receiver.receive(&batch)
        batch.forEach { bytes, packet in
            #expect(bytes.byteCount == 64 && packet.isTruncated && packet.length == 514)
        }
    }

    @Test("A frame that just fits is complete", arguments: [513, 514, 515])
    func whole(room: Int) throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right)
        try pair.listen(.left).sendFrames([5], payload: 500)
        receiver.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: room)
        let (count, packet) = try receiver.receive(into: &buffer)
        #expect(count == min(room, 514) && packet.isTruncated == (room < 514) && packet.length == 514)
    }

    @Test("An empty buffer receives a frame and reports its length")
    func noRoom() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right)
        try pair.listen(.left).sendFrames([5, 6])
        receiver.setReadDeadline(monotonic: soon())
        var buffer: [UInt8] = []
        let (count, packet) = try receiver.receive(into: &buffer)
        #expect(count == 0 && packet.isTruncated && packet.length == 60)
        #expect(try receiver.receiveNumber() == 6)
    }

    @Test("Each frame has its sender's link-layer address and its packet type")
    func link() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right, etherType: 3) {
            $0.filter = try? Filter(expression: "ether proto 0x88b5")
        }
        let sender = try pair.listen(.left)
        let destinations: [([UInt8], LinkAddress.PacketType)] = [
            ([2, 0, 0, 0, 0, 2], .host), ([255, 255, 255, 255, 255, 255], .broadcast),
            ([1, 0, 94, 0, 0, 1], .multicast),
        ]
        for (destination, type) in destinations {
            try sender.writeTo(destination + frame().dropFirst(6), id: 0)
            receiver.setReadDeadline(monotonic: soon())
            var buffer = [UInt8](repeating: 0, count: 2048)
            let (count, address) = try receiver.readFrom(into: &buffer)
            #expect(count == 60)
            let link = try #require(address)
            #expect(
                link.description == VethPair.mac(.left) && link.etherType == testEtherType && link.packetType == type)
            #expect(try link.interfaceIndex == pair.interface(.right).index)
        }
    }

    @Test("An 802.1Q tag, which the kernel removes from the frame, is reported", arguments: [3, testEtherType])
    func vlan(etherType: UInt16) throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right, etherType: etherType) {
            $0.filter = try? Filter(expression: "ether[14:4] = 9")
        }
        let sender = try pair.listen(.left)
        let plain = frame(9)
        try sender.writeTo(plain[..<12] + [0x81, 0x00, 0xA0, 0x64] + plain[12...], id: 0)
        try sender.writeTo(plain, id: 1)
        var tags: [UInt16?] = []
        var types: [LinkAddress.PacketType?] = []
        try receiver.receiveAll(2) { bytes, packet in
            #expect(number(in: bytes) == 9 && packet.length == 60)
            tags.append(packet.vlanTag)
            types.append(packet.link?.packetType)
        }
        // One ethertype: the kernel drops the tag first, and reports otherHost.
        #expect(tags == (etherType == 3 ? [0xA064, nil] : [nil, nil]))
        #expect(types == (etherType == 3 ? [.host, .host] : [.otherHost, .host]))
    }

    @Test("Connections of type datagram send and receive payloads, addressed by link-layer address")
    func datagram() throws {
        let pair = try VethPair.current
        let left = try pair.listen(.left, type: .datagram)
        let right = try pair.listen(.right, type: .datagram)
        let own = try #require(right.localAddress)
        #expect(own.description == VethPair.mac(.right) && left.localSocketAddress == nil)
        let index = try #require(left.interface).index
        let address = LinkAddress(own.macAddress, interfaceIndex: index, etherType: testEtherType)
        try left.writeTo([1, 2, 3, 4], address: address, id: 77)
        right.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: 64)
        let (count, sender) = try right.readFrom(into: &buffer)
        #expect(Array(buffer[..<count]) == [1, 2, 3, 4])
        #expect(sender?.description == VethPair.mac(.left))
        #expect(try Set(left.receiveStamps(2).map(\.id)) == [77])
    }

    @Test("Totals are kept over reads that reset the kernel's counters")
    func totals() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right)
        let sender = try pair.listen(.left)
        #expect(try receiver.statistics() == Statistics())
        for round in 1...3 as ClosedRange<UInt64> {
            try sender.sendFrames(0..<10)
            _ = try receiver.receiveNumbers(10)
            let statistics = try receiver.statistics()
            #expect(statistics.packets == 10 * round && statistics.drops == 0 && statistics.queueFreezes == 0)
        }
        #expect(try receiver.statistics().packets == 30)
    }

    @Test("Frames that found the receive buffer full are counted, and the sums are right")
    func drops() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right) { $0.receiveBufferBytes = 4096 }
        try pair.listen(.left).sendFrames(0..<500)
        let first = try receiver.statistics()
        let received = try receiver.receiveNumbers(500, seconds: 0.1).count
        #expect(received > 0 && received < 500)
        #expect(first.packets == 500 && first.drops == 500 - UInt64(received))
        #expect(try receiver.statistics() == first)
    }

    @Test("A thread blocked in a receive does not keep transmit timestamps from another", arguments: [true, false])
    func separateWaits(dual: Bool) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, dual: dual)
        let receiver = Background { () throws(SystemError) in try connection.receiveNumber() }
        try receiver.untilBlocked()
        let stamps = Background { () throws(SystemError) in
            var ids: [UInt32] = []
            var batch = StampBatch(capacity: 1)
            while ids.count < 20 {
                try connection.receiveTransmitStamps(&batch)
                batch.forEach { ids.append($0.id) }
            }
            return ids
        }
        for id in 0..<10 as Range<UInt32> {
            try stamps.untilBlocked()
            try connection.sendFrames([id])
        }
        #expect(try stamps.result().get().sorted() == (0..<10).flatMap { [$0, $0] })
        // The timestamps did not wake the receiver either.
        try receiver.untilBlocked()
        try pair.listen(.right).sendFrames([42], from: .right)
        #expect(try receiver.result().get() == 42)
    }

    @Test("Unread timestamps on a single socket do not make a waiting receiver spin")
    func noSpin() throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, dual: false)
        try connection.sendFrames(0..<64)
        let receiver = Background { () throws(SystemError) -> (UInt32, Int64) in
            let before = Self.processorTime()
            return (try connection.receiveNumber(), Self.processorTime() - before)
        }
        let end = soon(0.3)
        while ClockID.monotonic.now() < end { usleep(10_000) }
        try receiver.untilBlocked()
        try pair.listen(.right).sendFrames([1], from: .right)
        let (number, nanoseconds) = try receiver.result().get()
        #expect(number == 1 && nanoseconds < 100_000_000)
        #expect(try connection.receiveStamps(128).count == 128)
    }

    /// The calling thread's CPU time.
    private static func processorTime() -> Int64 { ClockID.threadCPU.now() }
}

import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import FastAFPacket

/// Frames that a connection must not receive.
@Suite(.needsRoot, .vethPair)
struct IsolationTests {
    @Test("Frames on other interfaces of the namespace are not received", arguments: [testEtherType, 3])
    func otherInterfaces(etherType: UInt16) throws {
        let pair = try VethPair.current
        try pair.ip(.left, "link add other0 type veth peer name other0 netns \(pair.right)")
        for side in [VethPair.Side.left, .right] { try pair.ip(side, "link set other0 up") }
        for side in [VethPair.Side.left, .right] { try pair.waitUntilActive(side, "other0") }
        let receiver = try pair.listen(.right, etherType: etherType)
        let others = try pair.enter(.left) { () throws(SystemError) in
            try PacketConn.listen(on: Interface(named: "other0"), etherType: testEtherType)
        }
        let loopback = try pair.enter(.right) { () throws(SystemError) in
            try PacketConn.listen(on: Interface(named: "lo"), etherType: testEtherType)
        }
        try others.sendFrames(100..<110)
        try loopback.sendFrames(200..<210)
        // The frame for this connection is sent last, so no other frame can follow it.
        try pair.listen(.left).sendFrames([1])
        var numbers: [UInt32] = []
        while !numbers.contains(1) { numbers += try receiver.testNumbers(1) }
        #expect(numbers == [1])
    }

    @Test("Frames sent by this host are not received, even with all ethertypes", arguments: [true, false])
    func ownFrames(dual: Bool) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, etherType: 3, dual: dual)
        try connection.sendFrames(100..<110)
        try pair.listen(.left).sendFrames(200..<210)
        try pair.listen(.right).sendFrames([1], from: .right)
        var numbers: [UInt32] = []
        while !numbers.contains(1) { numbers += try connection.testNumbers(1) }
        #expect(numbers == [1])
    }

    @Test("The send half receives nothing")
    func sendHalf() throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, etherType: 3) {
            $0.filter = try? Filter(expression: "ether proto 0x88b5")
        }
        try pair.listen(.right).sendFrames(0..<10, from: .right)
        #expect(try connection.receiveNumbers(10).count == 10)
        // Received frames would take the room of the timestamps.
        var byte: UInt8 = 0
        #expect(recv(connection.senderFD, &byte, 1, Int32(MSG_DONTWAIT)) < 0)
        try connection.sendFrames([1])
        #expect(try connection.receiveStamps(2).count == 2)
        let signal = try EventSignal()
        #expect(try connection.waitForActivity(until: soon(0.05), signal: signal) == [])
    }

    @Test("A connection opened with a filter during a flood never receives a frame that the filter drops")
    func filterBeforeBind() throws {
        let pair = try VethPair.current
        let flooder = try pair.listen(.left) { $0.transmitStamps = [] }
        let isDone = try EventSignal()
        let flood = Background { () throws(SystemError) in
            while try !isDone.descriptor.waitForInput(timeout: 0) { try flooder.sendFrames(0..<64) }
        }
        // Both ethertypes: the flood's, and all.
        for round in 0..<30 {
            let connection = try pair.listen(.right, etherType: round % 2 == 0 ? testEtherType : 3) {
                $0.filter = .dropAll
            }
            #expect(try connection.statistics().packets == 0, "round \(round)")
        }
        // Shows that there was a flood.
        let open = try pair.listen(.right)
        #expect(try open.receiveNumbers(1).count >= 1)
        isDone.raise()
        try flood.result().get()
    }

    @Test("setFilter replaces the previous filter on the receive half", arguments: [true, false])
    func setFilter(dual: Bool) throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right, dual: dual) { $0.filter = .dropAll }
        let sender = try pair.listen(.left)
        try sender.sendFrames([1])
        // The frame's number is at offset 14.
        try receiver.setFilter(Filter(expression: "ether[14:4] = 3"))
        try sender.sendFrames([2, 3, 4])
        #expect(try receiver.receiveNumbers(1) == [3])
        try receiver.setFilter(Filter(expression: "ether[14:4] > 6"))
        try sender.sendFrames([5, 6, 7])
        #expect(try receiver.receiveNumbers(1) == [7])
    }

    @Test("A filter that the kernel rejects throws, and no connection is opened")
    func badFilter() throws {
        let pair = try VethPair.current
        #expect(
            errorCode { () throws(SystemError) in
                _ = try pair.listen(.right) { $0.filter = Filter(instructions: []) }
            } == EINVAL)
        let connection = try pair.listen(.right)
        let forward = Filter.Instruction(code: 0x05, k: 100)
        #expect(
            errorCode { () throws(SystemError) in
                try connection.setFilter(Filter(instructions: [forward]))
            } == EINVAL)
    }
}

extension PacketConn {
    /// The numbers of the tests' frames, as in ``receiveNumbers(_:seconds:)``, without frames that the kernel sends.
    func testNumbers(_ count: Int) throws(SystemError) -> [UInt32] {
        var numbers: [UInt32] = []
        try receiveAll(count) { bytes, packet in
            if packet.link?.etherType == testEtherType { numbers.append(number(in: bytes)) }
        }
        return numbers
    }
}

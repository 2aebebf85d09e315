import FastAFPacket
import Glibc
import LinuxKernel
import Testing

/// Interfaces that are down, go down, come up again or are deleted.
@Suite(.needsRoot, .vethPair)
struct InterfaceTests {
    @Test(
        "An interface that goes down is reported once, and the connection continues when it is up",
        arguments: [true, false])
    func downAndUp(dual: Bool) throws {
        let pair = try VethPair.current
        let name = VethPair.interfaceName
        let connection = try pair.listen(.right, dual: dual)
        let peer = try pair.listen(.left)
        let waiter = Background { () throws(SystemError) in try connection.receiveNumber() }
        try waiter.untilBlocked()
        try pair.ip(.right, "link set \(name) down")
        #expect(try waiter.errorCode() == ENETDOWN)
        #expect(errorCode { () throws(SystemError) in try connection.sendFrames([1], from: .right) } == ENETDOWN)

        let second = Background { () throws(SystemError) in try connection.receiveNumber() }
        try second.untilBlocked()
        try pair.ip(.right, "link set \(name) up")
        for side in [VethPair.Side.left, .right] { try pair.waitUntilActive(side) }
        try peer.sendFrames([2])
        #expect(try second.result().get() == 2)
        try connection.sendFrames([3], from: .right)
        #expect(try Set(connection.receiveStamps(2).map(\.id)) == [3])
    }

    @Test("A thread that serves the whole connection gets the report too", arguments: [true, false])
    func downForAll(dual: Bool) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.right, dual: dual)
        let waiter = Background { () throws(SystemError) in
            let signal = try EventSignal()
            return try connection.waitForActivity(until: nil, signal: signal)
        }
        try waiter.untilBlocked()
        try pair.ip(.right, "link set \(VethPair.interfaceName) down")
        #expect(try waiter.result().get().contains(.packets))
        var batch = ReceiveBatch(capacity: 1, packetBytes: 64)
        #expect(errorCode { () throws(SystemError) in try connection.receiveNow(&batch) } == ENETDOWN)
        #expect(errorCode { () throws(SystemError) in try connection.receiveNow(&batch) } == nil)
        let signal = try EventSignal()
        #expect(try connection.waitForActivity(until: soon(0.05), signal: signal) == [])
    }

    @Test("The deletion of an interface is reported and no call hangs", arguments: [true, false])
    func deleted(dual: Bool) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.right, dual: dual)
        let waiter = Background { () throws(SystemError) in try connection.receiveNumber() }
        try waiter.untilBlocked()
        try pair.ip(.right, "link set \(VethPair.interfaceName) down")
        #expect(try waiter.errorCode() == ENETDOWN)
        // The interface is down already, so the kernel does not report the deletion.
        let second = Background { () throws(SystemError) in try connection.receiveNumber() }
        try second.untilBlocked()
        let server = Background { () throws(SystemError) in
            let signal = try EventSignal()
            var batch = ReceiveBatch(capacity: 1, packetBytes: 64)
            while try connection.waitForActivity(until: nil, signal: signal) == [] {}
            try connection.receiveNow(&batch)
        }
        try server.untilBlocked()
        try pair.ip(.right, "link del \(VethPair.interfaceName)")
        #expect(try second.errorCode() == ENXIO)
        #expect(try server.errorCode() == ENXIO)
        #expect(errorCode { () throws(SystemError) in try connection.sendFrames([1], from: .right) } == ENXIO)
    }

    @Test("The deletion of an interface that is up is reported")
    func deletedUp() throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.right)
        let waiter = Background { () throws(SystemError) -> Int32 in
            while true {
                do throws(SystemError) { _ = try connection.receiveNumber() } catch {
                    if error.code != ENETDOWN { return error.code }
                }
            }
        }
        try waiter.untilBlocked()
        try pair.ip(.right, "link del \(VethPair.interfaceName)")
        #expect(try waiter.result().get() == ENXIO)
    }

    @Test("Listening on an interface that is down gives ENETDOWN and the command that brings it up")
    func listenDown() throws {
        let pair = try VethPair.current
        try pair.ip(.right, "link set \(VethPair.interfaceName) down")
        let error = try #require(throws: SystemError.self) { _ = try pair.listen(.right) }
        #expect(error.code == ENETDOWN && error.description.contains("ip link set \(VethPair.interfaceName) up"))
    }

    @Test("A missing interface gives ENODEV and the command that lists interfaces")
    func noSuchInterface() throws {
        let pair = try VethPair.current
        for name in ["nosuch0", "", String(repeating: "long", count: 10)] {
            let error = try #require(throws: SystemError.self) { _ = try pair.interface(.left, named: name) }
            #expect(error.code == ENODEV && error.description.contains("ip link"), "\(name): \(error)")
        }
    }
}

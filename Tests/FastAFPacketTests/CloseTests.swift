import FastAFPacket
import Foundation
import LinuxKernel
import Testing

@testable import class FastAFPacket.PacketConn

@Suite(.needsRoot, .vethPair)
struct CloseTests {
    @Test("Close wakes every waiting thread with EBADF", arguments: [true, false])
    func wakes(dual: Bool) throws {
        let connection = try slowPair().listen(.left, dual: dual)
        let sender = Background { () throws(SystemError) in try fill(connection) }
        try sender.untilBlocked()
        let receiver = Background { () throws(SystemError) in _ = try connection.receiveNumber() }
        try receiver.untilBlocked()
        let stamps = Background { () throws(SystemError) in while true { _ = try connection.receiveStampsForever() } }
        try stamps.untilBlocked()
        connection.close()
        #expect(try receiver.errorCode() == EBADF)
        #expect(try stamps.errorCode() == EBADF)
        #expect(try sender.errorCode() == EBADF)
    }

    @Test("Close wakes a thread that serves the whole connection", arguments: [true, false])
    func activity(dual: Bool) throws {
        let connection = try VethPair.current.listen(.left, dual: dual)
        let waiter = Background { () throws(SystemError) in
            let signal = try EventSignal()
            return try connection.waitForActivity(until: nil, signal: signal)
        }
        try waiter.untilBlocked()
        connection.close()
        #expect(try waiter.result().get().contains(.closed))
    }

    @Test(
        "Concurrent and repeated closes close the connection once and release its sockets",
        arguments: [true, false])
    func once(dual: Bool) throws {
        let connection = try VethPair.current.listen(.left, dual: dual)
        let numbers = dual ? [connection.receiver.rawValue, connection.senderFD] : [connection.receiver.rawValue]
        let sockets = Set(numbers.map(Self.target))
        #expect(sockets.count == numbers.count && sockets.allSatisfy { $0.hasPrefix("socket:") })
        #expect(sockets.isSubset(of: Self.openFiles()))
        let closers = (0..<8).map { _ in Background { connection.close() } }
        for closer in closers { try closer.result().get() }
        connection.close()
        #expect(sockets.isDisjoint(with: Self.openFiles()))
    }

    @Test("Calls on a closed connection give EBADF", arguments: [true, false])
    func afterwards(dual: Bool) throws {
        let connection = try VethPair.current.listen(.left, dual: dual)
        connection.close()
        connection.setDeadline(monotonic: soon(0.1))
        var buffer = [UInt8](repeating: 0, count: 64)
        let calls: [(String, () throws(SystemError) -> Void)] = [
            ("receive", { () throws(SystemError) in _ = try connection.receive(into: &buffer) }),
            ("readFrom", { () throws(SystemError) in _ = try connection.readFrom(into: &buffer) }),
            ("stamps", { () throws(SystemError) in _ = try connection.receiveTransmitStamp(into: &buffer) }),
            ("send", { () throws(SystemError) in try connection.writeTo(frame(), id: 1) }),
            ("statistics", { () throws(SystemError) in _ = try connection.statistics() }),
            ("filter", { () throws(SystemError) in try connection.setFilter(.dropAll) }),
        ]
        for (name, call) in calls { #expect(errorCode(call) == EBADF, "\(name)") }
    }

    @Test(
        "Closing in full traffic ends every thread with EBADF, and no thread touches a reused descriptor",
        arguments: [true, false])
    func inTraffic(dual: Bool) throws {
        let pair = try VethPair.current
        for _ in 0..<5 {
            let connection = try pair.listen(.left, dual: dual)
            let threads = [
                Background { () throws(SystemError) in try fill(connection) },
                Background { () throws(SystemError) in try connection.keepReceiving() },
                Background { () throws(SystemError) in try connection.keepReceivingStamps() },
            ]
            // Frames from the peer arrive too.
            try pair.listen(.right).sendFrames(0..<64, from: .right)
            connection.close()
            for thread in threads { #expect(try thread.errorCode() == EBADF) }
        }
    }

    @Test("Connections do not leak descriptors")
    func descriptors() throws {
        let pair = try VethPair.current
        let before = Self.openFiles().count
        for _ in 0..<50 {
            _ = try pair.listen(.left)
            try pair.listen(.left, dual: false).close()
        }
        // Other tests open and close descriptors meanwhile; one leaked descriptor per connection would be 100.
        #expect(Self.openFiles().count < before + 80)
    }

    private static func target(_ number: Int32) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")) ?? "none"
    }

    private static func openFiles() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }.map(target)
    }
}

extension PacketConn {
    fileprivate func keepReceiving() throws(SystemError) {
        while true {
            _ = try receiveNumber()
            _ = try statistics()
        }
    }

    fileprivate func keepReceivingStamps() throws(SystemError) {
        while true { _ = try receiveStampsForever() }
    }
}

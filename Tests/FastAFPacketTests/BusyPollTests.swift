import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

/// Busy polling of the NIC's queue by a receive call.
@Suite(.needsRoot, .vethPair)
struct BusyPollTests {
    @Test(
        "With deferred NIC interrupts a receive that polls gets a datagram at once, and one that does not poll waits",
        arguments: [true, false])
    func udp(polls: Bool) throws {
        let pair = try VethPair.current
        // A veth has a queue to poll only for packets that it coalesces, and it coalesces only if the peer can segment.
        try pair.run(.left, ["ethtool", "-K", VethPair.interfaceName, "tso", "off"])
        try pair.run(.right, ["ethtool", "-K", VethPair.interfaceName, "gro", "on"])
        func connect(_ side: VethPair.Side, polls: Bool) throws -> PacketConn {
            var configuration = PacketConn.Configuration()
            if polls { configuration.options.busyPoll = .init(microseconds: 50, isPreferred: true, budget: 16) }
            let address = SocketAddress(try #require(IPAddress(VethPair.ipv4(side))), port: 8700)
            return try pair.enter(side) { () throws(SystemError) in
                try PacketConn.listenUDP(
                    on: address, interface: Interface(named: VethPair.interfaceName), configuration: configuration)
            }
        }
        let sender = try connect(.left, polls: false)
        let receiver = try connect(.right, polls: polls)
        let destination = try #require(receiver.localSocketAddress)
        var batch = ReceiveBatch(capacity: 8, packetBytes: 64)
        // The first datagram assigns the socket its queue.
        receiver.setReadDeadline(monotonic: soon())
        try sender.writeTo([0], destination: destination, id: 0)
        try receiver.receive(&batch)
        // After the next poll no interrupt occurs while the test runs.
        let directory = "/sys/class/net/\(VethPair.interfaceName)"
        try pair.run(
            .right,
            [
                "sh", "-c",
                "echo 1000000 > \(directory)/napi_defer_hard_irqs; echo 60000000000 > \(directory)/gro_flush_timeout",
            ])
        var (received, id) = (0, UInt32(1))
        let end = soon(polls ? 5 : 0.5)
        while received < 10, ClockID.monotonic.now() < end {
            if received + 1 >= id {
                try sender.writeTo([1], destination: destination, id: id)
                id += 1
            }
            received += try receiver.receiveNow(&batch)
        }
        // The datagram that starts the last poll still arrives.
        if polls { #expect(received == 10) } else { #expect(received <= 1) }
    }
}

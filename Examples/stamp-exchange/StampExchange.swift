import ArgumentParser
import Dispatch
import FastAFPacket
import Glibc
import LinuxKernel
import Netlink
import NetworkAddresses
import STAMPWire

@main
struct StampExchange: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stamp-exchange",
        abstract: "Send numbered probes to another instance and print the timestamps of all probes sent and received.",
        discussion: """
            EXAMPLE
              hostA# stamp-exchange --interface eth0 --peer 192.0.2.2
              hostB# stamp-exchange --interface eth0 --peer 192.0.2.1

            Each probe carries its send time. Delays are relative to it: on the TX line by
            the sender's clock, on the RX line between two clocks, and to the PHC for
            hardware timestamps. Times are in nanoseconds. Needs CAP_NET_RAW.
            """)

    @Option(name: .shortAndLong, help: "The interface to send and receive on.")
    var interface: String

    @Option(name: .shortAndLong, help: "The other instance's IPv4 or IPv6 address.")
    var peer: IPAddress

    @Option(help: ArgumentHelp("MAC address to send to (default: from the neighbour table).", valueName: "address"))
    var mac: MACAddress?

    @Option(help: "UDP port of both instances.")
    var port: UInt16 = 8620

    @Option(help: ArgumentHelp("Interval between probes in milliseconds.", valueName: "ms"))
    var interval: UInt32 = 1000

    @Option(name: .shortAndLong, help: ArgumentHelp("Number of probes to send (default: unlimited).", valueName: "n"))
    var count: UInt32?

    func validate() throws {
        if interval == 0 { throw ValidationError("--interval is too short: use at least 1 ms.") }
    }

    func run() throws {
        let interface = try Interface(named: interface)
        let path = try NextHop.resolve(peer: peer, on: interface, connection: NetlinkConnection())
        let filter = try Filter(expression: "udp and src host \(peer) and src port \(port) and dst port \(port)")
        // Opened before anything else that needs a privilege, so that its error names the missing one.
        let conn = try PacketConn.listen(
            on: interface, etherType: peer.isIPv4 ? 0x0800 : 0x86DD,
            configuration: .init(filter: filter))
        defer { conn.close() }
        // Otherwise the kernel would answer the peer with "port unreachable".
        let reservation = try PortReservation(port: port, isIPv4: peer.isIPv4, on: interface)
        let destination = try mac ?? NeighbourResolver(for: path.nextHop, on: interface).resolve().macAddress

        var exchange = Exchange(
            conn: conn, interval: Int64(interval) * 1_000_000, count: count,
            flow: UDPFrameTemplate(
                destinationMAC: destination, sourceMAC: interface.macAddress, source: path.source, destination: peer,
                sourcePort: reservation.port, destinationPort: reservation.port))
        let stop = try Stop()
        let sources = stop.onInterrupt()
        defer { sources.forEach { $0.cancel() } }
        try exchange.run(until: stop.signal)
        exchange.printSummary()
    }
}

/// Raises a signal on Ctrl-C and SIGTERM, so that the connection is closed and the NIC's configuration restored.
private final class Stop: Sendable {
    let signal: EventSignal

    init() throws(SystemError) { signal = try EventSignal() }

    /// - Returns: sources that must stay alive while signals are handled.
    func onInterrupt() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            Glibc.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { self.signal.raise() }
            source.resume()
            return source
        }
    }
}

extension IPAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension MACAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

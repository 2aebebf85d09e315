import ArgumentParser
import Dispatch
import FastAFPacket
import Glibc
import Kernel

@main
struct RingCapture: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring-capture",
        abstract: "Read packets from a ring that the kernel fills, and print what is known of each, or only counts.",
        discussion: """
            EXAMPLE
              # ring-capture --interface eth0 --filter 'udp port 862' --packets
              # ring-capture --interface eth0 --vlan --interval 1

            A line for a packet has its stamp (CLOCK_REALTIME, or the card's clock) with its
            source, its length on the wire, how much of it was captured, and its first bytes.
            Counts go to standard error. It needs CAP_NET_RAW.
            """)

    @Option(name: .shortAndLong, help: "The interface to hear; without it all of this network namespace.")
    var interface: String?

    @Option(name: .shortAndLong, help: "Which packets: a pcap-filter(7) expression.")
    var filter: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Packets to read; without it until stopped.", valueName: "n"))
    var count: UInt64?

    @Option(help: ArgumentHelp("Seconds between two lines of counts.", valueName: "s"))
    var interval: UInt32 = 10

    @Option(help: ArgumentHelp("TPACKET version 1, 2 or 3; without it the highest that there is.", valueName: "v"))
    var ringVersion: Int32?

    @Option(help: ArgumentHelp("The ring's size in MiB.", valueName: "MiB"))
    var size: Int = 32

    @Flag(name: .shortAndLong, help: "Print a line for each packet.")
    var packets = false

    @Flag(help: "Put the VLAN tag, which the kernel takes out of a frame, back in its place.")
    var vlan = false

    @Flag(help: "Ask for the card's stamps.")
    var hardware = false

    func validate() throws {
        if interval == 0 { throw ValidationError("--interval is at least 1 s.") }
        if !(1...4096).contains(size) { throw ValidationError("--size is from 1 to 4096 MiB.") }
        if let ringVersion, !(1...3).contains(ringVersion) { throw ValidationError("--ring-version is 1, 2 or 3.") }
    }

    func run() throws {
        let ring = try open()
        defer { ring.close() }
        let stop = onInterrupt {
            try? printCounts(ring)
            ring.close()
        }
        defer { stop.forEach { $0.cancel() } }
        try read(ring)
    }

    private func open() throws -> PacketRing {
        var configuration = PacketRing.Configuration()
        configuration.version = ringVersion.flatMap { PacketRing.Version(rawValue: $0 - 1) }
        configuration.blockCount = 2 * size
        configuration.pollTimeout = .seconds(Int64(interval))
        configuration.restoresVLANTag = vlan
        configuration.stamps = hardware ? .hardware : .software
        configuration.filter = try filter.map { try Filter(expression: $0) }
        return try PacketRing.open(on: interface.map { try Interface(named: $0) }, configuration: configuration)
    }

    /// Returns at the count, or when the ring is closed.
    private func read(_ ring: PacketRing) throws {
        var read: UInt64 = 0
        var due = ClockID.monotonic.now() + Int64(interval) * 1_000_000_000
        while read < count ?? .max {
            let end = count
            do throws(RingError) {
                try ring.readBlock { bytes, packet in
                    // A block may hold more than was asked for.
                    guard read < end ?? .max else { return }
                    read += 1
                    if packets { printLine(bytes, packet) }
                }
            } catch {
                switch error {
                // Nothing came: time for the counts.
                case .timeout: break
                case .pollFailed(let error) where error.code == ENETDOWN: complain(error)
                case .failed(let error) where error.code == EBADF: return
                default: throw error
                }
            }
            fflush(nil)
            if ClockID.monotonic.now() >= due {
                try printCounts(ring)
                due += Int64(interval) * 1_000_000_000
            }
        }
        if read == count { try printCounts(ring) }
    }
}

private func printCounts(_ ring: PacketRing) throws {
    let (reader, socket) = (ring.statistics, try ring.socketStatistics())
    complain(
        "packets=\(reader.packets) polls=\(reader.polls) arrived=\(socket.packets) dropped=\(socket.drops) "
            + "freezes=\(socket.queueFreezes)")
}

private func complain(_ text: some CustomStringConvertible) {
    try? OutputFile.standardError().write(Array("\(text)\n".utf8))
}

/// Calls `body` on Ctrl-C and SIGTERM, so that what was set on the card is given back.
///
/// - Returns: what has to live as long as it is to be called.
private func onInterrupt(_ body: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler { body() }
        source.resume()
        return source
    }
}

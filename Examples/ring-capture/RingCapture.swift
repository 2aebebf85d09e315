import ArgumentParser
import Dispatch
import FastAFPacket
import Glibc
import LinuxKernel
import Synchronization

@main
struct RingCapture: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring-capture",
        abstract: "Read packets from a ring that the kernel fills, and print what is known of each, or only counts.",
        discussion: """
            EXAMPLE
              # ring-capture --interface eth0 --filter 'udp port 862' --packets
              # ring-capture --interface eth0 --vlan --interval 1

            A line for a packet has its timestamp (CLOCK_REALTIME, or the PHC) with its
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

    @Flag(help: "Ask for the NIC's timestamps.")
    var hardware = false

    func validate() throws {
        if interval == 0 { throw ValidationError("--interval is at least 1 s.") }
        if !(1...4096).contains(size) { throw ValidationError("--size is from 1 to 4096 MiB.") }
        if let ringVersion, !(1...3).contains(ringVersion) { throw ValidationError("--ring-version is 1, 2 or 3.") }
        if vlan, ringVersion == 1 { throw ValidationError("Tags are known with --ring-version 2 or 3 alone.") }
    }

    func run() throws {
        let ring = try open()
        defer { ring.close() }
        if hardware { tellOfStamps(ring) }
        let stop = Stop(ring)
        let sources = stop.onInterrupt()
        defer { sources.forEach { $0.cancel() } }
        // A reader that goes away ends the capture, not the process: what was set on the NIC is given back.
        signal(SIGPIPE, SIG_IGN)
        try read(ring)
        // Now that nothing more is read.
        printCounts(ring, try stop.counts ?? ring.socketStatistics())
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

    private func tellOfStamps(_ ring: PacketRing) {
        switch ring.hardwareStamping {
        case .unavailable: complain("There are no timestamps of the NIC's here: the kernel's come in their place.")
        case .refused(let error): complain(error)
        case .borrowed, .switchedOn: break
        }
    }

    /// Returns at the count, when the ring is closed, or when nobody reads the lines any more.
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
            if fflush(nil) != 0 {
                if errno == EPIPE { return }
                throw SystemError("write the lines", code: errno)
            }
            if ClockID.monotonic.now() >= due {
                printCounts(ring, try ring.socketStatistics())
                due += Int64(interval) * 1_000_000_000
            }
        }
    }
}

private func printCounts(_ ring: PacketRing, _ socket: Statistics) {
    let reader = ring.statistics
    complain(
        "packets=\(reader.packets) polls=\(reader.polls) arrived=\(socket.packets) dropped=\(socket.drops) "
            + "freezes=\(socket.queueFreezes)")
}

private func complain(_ text: some CustomStringConvertible) {
    try? OutputFile.standardError().write(Array("\(text)\n".utf8))
}

/// Closes the ring on Ctrl-C and SIGTERM, so that what was set on the NIC is given back.
private final class Stop: Sendable {
    private let ring: PacketRing
    private let last = Mutex<Statistics?>(nil)

    /// The kernel's counts when the ring was closed; `nil` where it was not.
    var counts: Statistics? { last.withLock { $0 } }

    init(_ ring: PacketRing) { self.ring = ring }

    /// - Returns: what has to live as long as the ring is to be closed.
    func onInterrupt() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { [self] in
                last.withLock { $0 = $0 ?? (try? ring.socketStatistics()) }
                ring.close()
            }
            source.resume()
            return source
        }
    }
}

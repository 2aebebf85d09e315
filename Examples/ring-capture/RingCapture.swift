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
        abstract: "Read packets from a ring that the kernel fills, and print a line for each, or only counts.",
        discussion: """
            EXAMPLE
              # ring-capture --interface eth0 --filter 'udp port 862' --packets
              # ring-capture --interface eth0 --vlan --interval 1

            A packet's line has its timestamp (CLOCK_REALTIME, or the PHC) and the timestamp's
            source, its length on the wire, its captured length, and its first bytes.
            Counts go to standard error. Needs CAP_NET_RAW.
            """)

    @Option(name: .shortAndLong, help: "The interface to receive from (default: all of this network namespace).")
    var interface: String?

    @Option(name: .shortAndLong, help: "The packets to receive: a pcap-filter(7) expression.")
    var filter: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Number of packets to read (default: unlimited).", valueName: "n"))
    var count: UInt64?

    @Option(help: ArgumentHelp("Seconds between lines of counts.", valueName: "s"))
    var interval: UInt32 = 10

    @Option(help: ArgumentHelp("TPACKET version 1, 2 or 3 (default: the highest available).", valueName: "v"))
    var ringVersion: Int32?

    @Option(help: ArgumentHelp("The ring's size in MiB.", valueName: "MiB"))
    var size: Int = 32

    @Flag(name: .shortAndLong, help: "Print a line for each packet.")
    var packets = false

    @Flag(help: "Restore the VLAN tag that the kernel removes from a frame.")
    var vlan = false

    @Flag(help: "Request the NIC's timestamps.")
    var hardware = false

    func validate() throws {
        if interval == 0 { throw ValidationError("--interval is too short: use at least 1 second.") }
        if !(1...4096).contains(size) { throw ValidationError("--size is out of range: use 1 to 4096 MiB.") }
        if let ringVersion, !(1...3).contains(ringVersion) {
            throw ValidationError("--ring-version is unknown: use 1, 2 or 3.")
        }
        if vlan, ringVersion == 1 {
            throw ValidationError("Version 1 does not report VLAN tags: use --ring-version 2 or 3.")
        }
    }

    func run() throws {
        let ring = try open()
        defer { ring.close() }
        if hardware { reportMissingStamps(ring) }
        let stop = Stop(ring)
        let sources = stop.onInterrupt()
        defer { sources.forEach { $0.cancel() } }
        // If the reader of the output exits, the capture ends but not the process, so that the NIC's configuration is
        // restored.
        signal(SIGPIPE, SIG_IGN)
        try read(ring)
        // Counted after the last read.
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

    private func reportMissingStamps(_ ring: PacketRing) {
        switch ring.hardwareStamping {
        case .unavailable: complain("There are no NIC timestamps here: the kernel's are printed instead.")
        case .refused(let error): complain(error)
        case .borrowed, .switchedOn: break
        }
    }

    /// Returns at the count, when the ring is closed, or when the reader of the output exits.
    private func read(_ ring: PacketRing) throws {
        var read: UInt64 = 0
        var due = ClockID.monotonic.now() + Int64(interval) * 1_000_000_000
        while read < count ?? .max {
            let end = count
            do throws(RingError) {
                try ring.readBlock { bytes, packet in
                    // A block may contain more packets than requested.
                    guard read < end ?? .max else { return }
                    read += 1
                    if packets { printLine(bytes, packet) }
                }
            } catch {
                switch error {
                // No packet arrived: print the counts.
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

/// Closes the ring on Ctrl-C and SIGTERM, so that the NIC's configuration is restored.
private final class Stop: Sendable {
    private let ring: PacketRing
    private let last = Mutex<Statistics?>(nil)

    /// The kernel's counts when the ring was closed; `nil` if it was not.
    var counts: Statistics? { last.withLock { $0 } }

    init(_ ring: PacketRing) { self.ring = ring }

    /// - Returns: sources that must stay alive while signals are handled.
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

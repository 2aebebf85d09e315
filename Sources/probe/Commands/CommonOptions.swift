import ArgumentParser
import STAMPWire

/// The options that `probe run` and `probe reflect` share.
struct CommonOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Interface to measure on.")
    var interface: String

    @Option(help: "UDP port of the reflectors, on this host and on the peer.")
    var port: UInt16 = 862

    @Option(
        help: """
            packet (AF_PACKET, all timestamps), udp (ordinary socket, no privilege needed above port 1023) or l2 \
            (AF_PACKET without IP).
            """)
    var transport = Transport.packet

    @Option(
        help: """
            auto (all available; delays use kernel timestamps), software (kernel timestamps only) or hardware (delays \
            use hardware timestamps only).
            """)
    var stamps = StampChoice.auto

    @Option(
        help: """
            With --transport l2, on both hosts: ordinary, or ptp for NICs that timestamp only PTP frames. \
            (default: ordinary)
            """)
    var frame: L2FrameShape?

    @Option(
        help: ArgumentHelp(
            "With --transport l2: send and receive tagged frames in this VLAN.", valueName: "0-4094"))
    var vlan: UInt16?

    @Option(help: ArgumentHelp("Log every packet to this new CSV file.", valueName: "file"))
    var log: String?

    @Flag(help: "Overwrite existing files.")
    var force = false

    @Option(help: "text, or json (one object per line).")
    var output = Console.Format.text

    @Flag(help: "Never let the packet thread sleep: packets reach it within microseconds, and it takes a whole core.")
    var spin = false

    @Flag(name: .shortAndLong, help: "Print no line per packet.")
    var quiet = false

    func validate() throws {
        if stamps.usesHardwareOnly, transport == .udp {
            throw ValidationError(
                "--stamps hardware needs --transport packet or l2: an ordinary socket has no hardware timestamps.")
        }
        if port == 0 || port >= 49152 {
            throw ValidationError(
                "--port must be 1 to 49151; the standard port is 862. Senders use the ports from 49152 on.")
        }
        if transport != .l2, frame != nil { throw ValidationError("--frame needs --transport l2.") }
        if transport != .l2, vlan != nil { throw ValidationError("--vlan needs --transport l2.") }
        if let vlan, vlan > 4094 { throw ValidationError("--vlan must be 0 to 4094.") }
    }
}

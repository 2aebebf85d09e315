import ArgumentParser
import STAMPWire

/// What all commands that touch the network take.
struct CommonOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The interface to measure on.")
    var interface: String

    @Option(help: "The port that reflectors listen on, here and on the peer.")
    var port: UInt16 = 862

    @Option(
        help: """
            packet (AF_PACKET: all timestamps), udp (an ordinary socket: no privilege above port 1023) or l2 (AF_PACKET \
            without IP).
            """)
    var transport = Transport.packet

    @Option(help: "auto (all there are; delays by the kernel's), software, or hardware (delays by the NICs' alone).")
    var stamps = StampChoice.auto

    @Option(
        help: """
            With --transport l2, on both hosts: ordinary, or ptp for NICs that timestamp PTP frames only. \
            [default: ordinary]
            """)
    var frame: L2FrameShape?

    @Option(help: ArgumentHelp("With --transport l2: measure in this VLAN, with tagged frames.", valueName: "0-4094"))
    var vlan: UInt16?

    @Option(help: ArgumentHelp("Log every packet to this new CSV file.", valueName: "file"))
    var log: String?

    @Flag(help: "Overwrite files that exist.")
    var force = false

    @Option(help: "text, or json: one object a line.")
    var output = Console.Format.text

    @Flag(name: .shortAndLong, help: "No line for each packet.")
    var quiet = false

    func validate() throws {
        if port == 0 { throw ValidationError("Port 0 is none: the standard one is 862.") }
        if stamps.usesHardwareOnly, transport == .udp {
            throw ValidationError(
                "An ordinary socket has no NIC timestamps: --stamps hardware needs another --transport.")
        }
        if port >= 49152 {
            throw ValidationError("Ports from 49152 on are the senders' own: choose one below, the standard is 862.")
        }
        if transport != .l2, frame != nil { throw ValidationError("--frame needs --transport l2.") }
        if transport != .l2, vlan != nil { throw ValidationError("--vlan needs --transport l2.") }
        if let vlan, vlan > 4094 { throw ValidationError("--vlan must be 0 to 4094.") }
    }
}

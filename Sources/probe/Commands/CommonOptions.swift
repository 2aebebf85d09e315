import ArgumentParser

/// What all commands that touch the network take.
struct CommonOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The interface to measure on.")
    var interface: String

    @Option(help: "The UDP port that reflectors listen on, here and on the peer.")
    var port: UInt16 = 862

    @Option(help: "packet (AF_PACKET: all stamps) or udp (an ordinary socket: no privilege above port 1023).")
    var transport = Transport.packet

    @Option(help: "auto (all there are; delays by the kernel's), software, or hardware (delays by the cards' alone).")
    var stamps = StampChoice.auto

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
        if stamps == .hardware, transport == .udp {
            throw ValidationError("An ordinary socket has no card stamps: --stamps hardware needs another --transport.")
        }
        if port >= 49152 {
            throw ValidationError("Ports from 49152 on are the senders' own: choose one below, the standard is 862.")
        }
    }
}

import NetworkAddresses

/// The command line, as in the C program.
struct Options {
    var interface: String
    var peer = MACAddress(rawValue: 0)
    var spins = false
    var frameBytes = 64
    /// The number of packets measured, after `warmUp` packets that are not.
    var packets = 1_000_000
    var warmUp = 0

    /// `nil` for an invalid command line.
    init?(_ arguments: ArraySlice<String>) {
        var rest = arguments
        guard let interface = rest.popFirst() else { return nil }
        self.interface = interface
        while let name = rest.popFirst() {
            if name == "--spin" {
                spins = true
                continue
            }
            guard let text = rest.popFirst() else { return nil }
            switch name {
            case "--peer":
                guard let peer = MACAddress(text) else { return nil }
                self.peer = peer
            case "--packets":
                guard let packets = Int(text), packets > 0 else { return nil }
                self.packets = packets
            case "--warm-up":
                guard let warmUp = Int(text), warmUp >= 0 else { return nil }
                self.warmUp = warmUp
            case "--frame-bytes":
                guard let frameBytes = Int(text), (60...1514).contains(frameBytes) else { return nil }
                self.frameBytes = frameBytes
            default: return nil
            }
        }
    }
}

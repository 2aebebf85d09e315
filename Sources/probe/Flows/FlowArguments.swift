import ArgumentParser
import Conntrack
import NetworkAddresses

/// An end of a flow on the command line: 192.0.2.1:4000, [2001:db8::1]:4000, or only an address.
struct FlowEnd: ExpressibleByArgument, Hashable {
    let address: IPAddress
    let port: UInt16?

    init?(argument: String) {
        if let address = IPAddress(argument) {
            self.address = address
            port = nil
            return
        }
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...])
        else { return nil }
        var host = argument[..<colon]
        let isBracketed = host.first == "[" && host.last == "]"
        if isBracketed { host = host.dropFirst().dropLast() }
        // An IPv6 address with a port but without brackets is ambiguous.
        guard let address = IPAddress(String(host)), address.isIPv4 != isBracketed else { return nil }
        self.address = address
        self.port = port
    }
}

/// The type, code and identifier of an ICMP flow on the command line: 8/0/4660.
struct ICMPQuery: ExpressibleByArgument, Hashable {
    let type: UInt8
    let code: UInt8
    let identifier: UInt16

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let type = UInt8(parts[0]), let code = UInt8(parts[1]),
            let identifier = UInt16(parts[2])
        else { return nil }
        (self.type, self.code, self.identifier) = (type, code, identifier)
    }
}

extension TransportProtocol: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument.lowercased()) }

    /// True if a flow of this protocol always has ports.
    var hasPorts: Bool { [.tcp, .udp, .udpLite, .sctp, .dccp].contains(self) }
}

extension FlowWriter.Format: ExpressibleByArgument {}

/// The filter for the flows to show.
struct FlowSelection: Hashable, Sendable {
    var network: IPNetwork?
    var port: UInt16?
    var transport: TransportProtocol?
    var isTranslatedOnly = false

    func contains(_ flow: borrowing Flow) -> Bool {
        let (original, reply) = (flow.original, flow.reply)
        if let transport, original.transport != transport { return false }
        if let port {
            let ports = [original.sourcePort, original.destinationPort, reply.sourcePort, reply.destinationPort]
            if !ports.contains(port) { return false }
        }
        if let network {
            let ends = [original.source, original.destination, reply.source, reply.destination]
            if !ends.contains(where: network.contains) { return false }
        }
        return isTranslatedOnly ? flow.isTranslated : true
    }
}

/// The kernel's state of a TCP connection. Source: enum tcp_conntrack in linux/netfilter/nf_conntrack_tcp.h.
public struct TCPState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8

    /// A state by the kernel's number, which may be unknown.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let synSent = TCPState(rawValue: 1)
    public static let synReceived = TCPState(rawValue: 2)
    public static let established = TCPState(rawValue: 3)
    public static let finWait = TCPState(rawValue: 4)
    public static let closeWait = TCPState(rawValue: 5)
    public static let lastAck = TCPState(rawValue: 6)
    public static let timeWait = TCPState(rawValue: 7)
    public static let close = TCPState(rawValue: 8)
    /// Both sides have sent a SYN.
    public static let synSentTwice = TCPState(rawValue: 9)

    public var description: String { name.description }

    /// The state as conntrack(8) prints it.
    var name: StaticString {
        switch rawValue {
        case 0: "NONE"
        case 1: "SYN_SENT"
        case 2: "SYN_RECV"
        case 3: "ESTABLISHED"
        case 4: "FIN_WAIT"
        case 5: "CLOSE_WAIT"
        case 6: "LAST_ACK"
        case 7: "TIME_WAIT"
        case 8: "CLOSE"
        case 9: "SYN_SENT2"
        default: "UNKNOWN"
        }
    }
}

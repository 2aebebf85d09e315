import CLinux

@testable import Netlink

/// A simulated kernel that answers each request with the next of its answers and records the requests.
final class ScriptedKernel {
    static let portID: UInt32 = 4242

    private(set) var requests: [[UInt8]] = []
    private var answers: [[[UInt8]]]

    /// - Parameter answers: the datagrams for each request. Messages with sequence 7 get the request's sequence.
    init(_ answers: [[[UInt8]]]) { self.answers = answers }

    var connection: NetlinkConnection {
        NetlinkConnection(portID: Self.portID) { [self] request in
            requests.append(request)
            guard !answers.isEmpty else { return [] }
            return answers.removeFirst().map { renumbered($0, like: request) }
        }
    }
}

/// Replaces the captured sequence number 7 in each message with the request's.
func renumbered(_ datagram: [UInt8], like request: [UInt8]) -> [UInt8] {
    var copy = datagram
    var start = 0
    while start + 16 <= copy.count {
        if Array(copy[start + 8..<start + 12]) == native(UInt32(7)) {
            copy.replaceSubrange(start + 8..<start + 12, with: request[8..<12])
        }
        let length = copy[start..<start + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        if length < 16 { break }
        start += (length + 3) & ~3
    }
    return copy
}

/// The request's nlmsg_type and nlmsg_flags.
func typeAndFlags(_ request: [UInt8]) -> (type: UInt16, flags: UInt16) {
    request.withUnsafeBytes {
        ($0.loadUnaligned(fromByteOffset: 4, as: UInt16.self), $0.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    }
}

import CLinux

@testable import Netlink

/// A kernel that answers each request with the next of a list of answers, and keeps the requests.
final class PlayedKernel {
    static let portID: UInt32 = 4242

    private(set) var requests: [[UInt8]] = []
    private var answers: [[[UInt8]]]

    /// - Parameter answers: for each request, the datagrams, captured with any sequence number: every message of them
    ///   gets the request's.
    init(_ answers: [[[UInt8]]]) { self.answers = answers }

    var connection: NetlinkConnection {
        NetlinkConnection(portID: Self.portID) { [self] request in
            requests.append(request)
            guard !answers.isEmpty else { return [] }
            return answers.removeFirst().map { renumbered($0, like: request) }
        }
    }
}

/// The datagram with the request's sequence number in each message that has the captured number 7.
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

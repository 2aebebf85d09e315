import LinuxKernel
import NetworkAddresses

/// A peer of a run, with the name that the user gave it.
struct NamedPeer: Hashable, Sendable, CustomStringConvertible {
    var peer: Peer
    var name: String?

    var description: String { name.map { "\($0) (\(peer))" } ?? "\(peer)" }
}

/// The peers in a file: one a line, as an address and a name that may be left out. Empty lines and what follows a # are
/// ignored.
enum PeerList {
    /// The largest file that is read, in bytes.
    private static let limitBytes = 1 << 20

    static func read(_ path: String) throws(ProbeError) -> [NamedPeer] {
        guard let bytes = TextFile.bytes(path, limit: limitBytes + 1) else {
            throw .file("\(path): cannot be read. Check that it exists and is readable.")
        }
        guard bytes.count <= limitBytes else {
            throw .file("\(path): has more than \(limitBytes) bytes. A list of peers has one address a line.")
        }
        return try parse(String(decoding: bytes, as: UTF8.self), path)
    }

    static func parse(_ text: String, _ path: String) throws(ProbeError) -> [NamedPeer] {
        var peers: [NamedPeer] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = content.first else { continue }
            guard content.count <= 2, let peer = Peer(argument: String(first)) else {
                throw .usage(
                    "\(path), line \(number + 1): expected an address and a name, such as `192.0.2.2 paris`, not "
                        + "`\(line.prefix(60))`.")
            }
            peers.append(NamedPeer(peer: peer, name: content.count == 2 ? String(content[1]) : nil))
        }
        return peers
    }
}

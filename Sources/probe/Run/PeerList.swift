import ArgumentParser
import LinuxKernel
import NetworkAddresses
import Report

/// A peer of a run, with the name that the user gave it.
struct NamedPeer: Hashable, Sendable, CustomStringConvertible {
    var peer: Peer
    var name: String?
    /// The number of its session among those to the same peer, from 1; nil if it is the only one.
    var number: Int?

    var description: String { peerText("\(peer)", name: name, number: number) }
}

/// The peers in a file: one a line, as an address and a name that may be left out. Empty lines and what follows a # are
/// ignored.
enum PeerList {
    /// The largest file that is read, in bytes.
    private static let limitBytes = 1 << 20

    /// The longest name, in characters.
    private static let nameLimit = 64

    /// Reads the peers of a file.
    ///
    /// - Parameter validate: rejects an address that the run's other options exclude.
    static func read(
        _ path: String, _ validate: (Peer) throws(ValidationError) -> Void
    ) throws(ProbeError) -> [NamedPeer] {
        guard let bytes = TextFile.bytes(path, limit: limitBytes + 1) else {
            throw .file("\(path): cannot be read. Check that it exists and is readable.")
        }
        guard bytes.count <= limitBytes else {
            throw .file("\(path): has more than \(limitBytes) bytes. A list of peers has one address a line.")
        }
        let peers = try parse(String(decoding: bytes, as: UTF8.self), path, validate)
        guard !peers.isEmpty else {
            throw .usage("\(path): lists no peer. Write an address on each line, and a name after it if you like.")
        }
        return peers
    }

    /// Numbers the sessions to peers that are listed several times.
    static func numbered(_ peers: [NamedPeer]) -> [NamedPeer] {
        let counts = Dictionary(peers.map { ($0.peer, 1) }, uniquingKeysWith: +)
        var numbers: [Peer: Int] = [:]
        return peers.map { entry in
            guard counts[entry.peer] ?? 0 > 1 else { return entry }
            var entry = entry
            numbers[entry.peer, default: 0] += 1
            entry.number = numbers[entry.peer]
            return entry
        }
    }

    static func parse(
        _ text: String, _ path: String, _ validate: (Peer) throws(ValidationError) -> Void
    ) throws(ProbeError) -> [NamedPeer] {
        var peers: [NamedPeer] = []
        // A line may end with CR LF, which is one character.
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = content.first else { continue }
            let place = "\(path), line \(number + 1)"
            guard content.count <= 2, let peer = Peer(argument: String(first)) else {
                throw .usage(
                    "\(place): expected an address and a name, such as `192.0.2.2 paris`, not `\(printable(line))`.")
            }
            do throws(ValidationError) {
                try validate(peer)
            } catch {
                throw .usage("\(place): \(error.message)")
            }
            let name = content.count == 2 ? String(content[1]) : nil
            if let name, name.count > nameLimit || printable(name[...]) != name {
                throw .usage(
                    "\(place): a name has up to \(nameLimit) printable characters, unlike `\(printable(content[1]))`.")
            }
            peers.append(NamedPeer(peer: peer, name: name))
        }
        return peers
    }

    /// The beginning of a text from a file, without characters that would control a terminal.
    private static func printable(_ text: Substring) -> String {
        String(
            text.prefix(nameLimit).map { character in
                let isControl = character.unicodeScalars.contains { scalar in
                    [.control, .format, .lineSeparator, .paragraphSeparator].contains(
                        scalar.properties.generalCategory)
                }
                return isControl ? "?" : character
            })
    }
}

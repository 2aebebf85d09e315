import NetworkAddresses
import PSample
import Report
import STAMPWire

/// A sample of one of the run's packets, which waits for its row.
struct PendingSample: BitwiseCopyable, Hashable, Sendable {
    var packet: PacketKind
    /// The packet's sequence number: the sender's in a probe, the reflector's in a reply.
    var sequence: UInt32
    /// True for the session that this host sends, false for one that it answers.
    var isLocalSession: Bool
    /// The session-sender's port, which distinguishes the sessions that this host answers.
    var senderPort: UInt16
    /// The time of sampling, in CLOCK_REALTIME nanoseconds.
    var time: Int64
    /// The latency through the sampling device, in nanoseconds, if it measures it.
    var latency: Int64?
    /// The share of packets that the sampler samples.
    var probability: Double?

    /// The key that a packet's sample and its row share.
    var key: UInt64 { Self.key(packet, sequence, isLocalSession: isLocalSession, senderPort) }

    /// The key of a row; `nil` if the row lacks the reply's sequence number or the session's port.
    static func key(_ record: PacketRecord, isLocalSession: Bool, localPort: UInt16) -> UInt64? {
        guard let sequence = record.packet == .reply ? record.replySequence : record.sequence,
            let port = isLocalSession ? localPort : record.peerPort
        else { return nil }
        return key(record.packet, sequence, isLocalSession: isLocalSession, port)
    }

    private static func key(
        _ packet: PacketKind, _ sequence: UInt32, isLocalSession: Bool, _ senderPort: UInt16
    ) -> UInt64 {
        UInt64(sequence) | (packet == .reply ? 1 << 32 : 0) | (isLocalSession ? 1 << 33 : 0) | UInt64(senderPort) << 34
    }
}

/// The packets of a run, as they are identified in samples: the session to the peer, and all sessions from the peer.
struct SampledFlow: Sendable {
    var interface: UInt32
    var local: IPAddress
    var peer: IPAddress
    /// The port of both reflectors.
    var port: UInt16
    /// The local session-sender's port.
    var senderPort: UInt16
    /// The local session's SSID.
    var ssid: UInt16

    enum Match: Hashable {
        case local(PendingSample)
        /// A packet of the run on another interface, such as the lower interface of a VLAN.
        case elsewhere
        /// A third-party packet.
        case thirdParty
        /// Truncated before the fields that identify the packet.
        case tooShort
        /// A packet of the run, in a sample without a timestamp.
        case withoutTime
    }

    /// Classifies a sample by its packet.
    func classify(_ received: borrowing ReceivedSample) -> Match {
        let sample = received.sample
        let whole = sample.originalSize.map { Int($0) }
        return received.withData { data in
            guard let frame = STAMPFrame(decoding: data, wholeLength: whole, port: port) else {
                return isTruncated(data, whole) ? .tooShort : .thirdParty
            }
            guard let isLocalSession = isLocalSession(frame) else { return .thirdParty }
            let packet: PacketKind = frame.kind == .probe ? .probe : .reply
            let isOut = (packet == .probe) == isLocalSession
            guard isHere(isOut ? sample.outputInterface : sample.inputInterface) else { return .elsewhere }
            guard let time = sample.timestamp else { return .withoutTime }
            return .local(
                PendingSample(
                    packet: packet, sequence: frame.sequence, isLocalSession: isLocalSession,
                    senderPort: packet == .probe ? frame.sourcePort : frame.destinationPort, time: time,
                    latency: sample.latency.map { Int64(clamping: $0) }, probability: sample.probability))
        }
    }

    /// True for the local session, false for a session from the peer; `nil` for all other packets.
    private func isLocalSession(_ frame: STAMPFrame) -> Bool? {
        let isOut = frame.source == local && frame.destination == peer
        guard isOut || (frame.source == peer && frame.destination == local) else { return nil }
        // The local session's packets are outgoing probes and incoming replies.
        guard isOut == (frame.kind == .probe) else { return false }
        let port = isOut ? frame.sourcePort : frame.destinationPort
        // Reflectors without RFC 8972 do not return the SSID.
        return port == senderPort && (frame.ssid ?? 0 == 0 || frame.ssid == ssid) ? true : nil
    }

    /// Returns whether a number is this interface's, of which the kernel may report only the low 16 bits.
    private func isHere(_ number: UInt32?) -> Bool {
        number == interface || number == interface & 0xFFFF
    }

    /// Returns whether a frame may be one of the run's, truncated too early to identify it.
    private func isTruncated(_ frame: RawSpan, _ whole: Int?) -> Bool {
        guard let whole, frame.byteCount < whole else { return false }
        do throws(FrameError) {
            let datagram = try UDPFrame(decoding: frame, verifyChecksum: false, wholeLength: whole)
            return datagram.sourcePort == port || datagram.destinationPort == port
        } catch .short, .badHeader {
            return true
        } catch .notIP {
            do throws(FrameError) {
                let packet = try L2Frame(decoding: frame, wholeLength: whole)
                return packet.sourcePort == port || packet.destinationPort == port
            } catch {
                return error == .short
            }
        } catch {
            return false
        }
    }
}

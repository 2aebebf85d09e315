import NetworkAddresses
import PSample
import Report
import STAMPWire

/// A sample of one of the run's packets, as it goes to the recorder.
struct PendingSample: BitwiseCopyable, Hashable, Sendable {
    var packet: PacketKind
    /// The packet's own number: the sender's, or in a reply the reflector's.
    var sequence: UInt32
    /// Of the session that this host sends, or of one that it answers.
    var isLocalSession: Bool
    /// The session-sender's port, which tells sessions that are answered apart.
    var senderPort: UInt16
    /// CLOCK_REALTIME, nanoseconds.
    var time: Int64
    /// Nanoseconds, where the device measures it.
    var latency: Int64?
    /// The share of packets that the sampler takes.
    var probability: Double?

    /// The same for a packet's sample and its row.
    var key: UInt64 { Self.key(packet, sequence, isLocalSession: isLocalSession, senderPort) }

    /// `nil` where a row has too little to be found by: a reply's number, or the session's port.
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

/// How the packets of a run are known among samples: the session to the peer, and whatever session the peer has to us.
struct SampledFlow: Sendable {
    var interface: UInt32
    var local: IPAddress
    var peer: IPAddress
    /// Where both reflectors listen.
    var port: UInt16
    /// The own sender's port and SSID.
    var senderPort: UInt16
    var ssid: UInt16

    enum Verdict: Hashable {
        case local(PendingSample)
        /// The run's, but at another interface: there is a sampler on a VLAN's lower interface, for example.
        case elsewhere
        /// Somebody else's.
        case thirdParty
        /// Cut before it could be told what it is of.
        case tooShort
        /// The run's, but the kernel does not say when it was sampled.
        case withoutTime
    }

    /// What a sample is of.
    func judge(_ received: borrowing ReceivedSample) -> Verdict {
        let sample = received.sample
        let whole = sample.originalSize.map { Int($0) }
        return received.withData { data in
            guard let frame = STAMPFrame(decoding: data, wholeLength: whole, port: port) else {
                return isUnclear(data, whole) ? .tooShort : .thirdParty
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

    /// `nil`: it is of no session between the two hosts.
    private func isLocalSession(_ frame: STAMPFrame) -> Bool? {
        let isOut = frame.source == local && frame.destination == peer
        guard isOut || (frame.source == peer && frame.destination == local) else { return nil }
        // A probe on its way out, or a reply on its way in.
        guard isOut == (frame.kind == .probe) else { return false }
        let port = isOut ? frame.sourcePort : frame.destinationPort
        // Reflectors of the first RFC give no SSID back.
        return port == senderPort && (frame.ssid ?? 0 == 0 || frame.ssid == ssid) ? true : nil
    }

    /// The kernel keeps 16 bits of an interface's number.
    private func isHere(_ number: UInt32?) -> Bool {
        number == interface || number == interface & 0xFFFF
    }

    /// Whether a frame may be one of ours of which too little is there.
    private func isUnclear(_ frame: RawSpan, _ whole: Int?) -> Bool {
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

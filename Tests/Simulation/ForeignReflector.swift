import STAMPSession
import STAMPWire

/// A session-reflector that is not of this project: RFC 8762, with or without the Follow-Up Telemetry TLV of RFC 8972.
struct ForeignReflector {
    private let kind: Scenario.Reflector
    /// The next number, and the newest reply with a known driver timestamp, of each sender's session.
    private var numbers: [UInt32]
    private var followUps: [FollowUp?]

    init(_ kind: Scenario.Reflector, senders: Int) {
        self.kind = kind
        numbers = Array(repeating: 0, count: senders)
        followUps = Array(repeating: nil, count: senders)
    }

    /// Records a reply's driver timestamp, if it is the newest.
    mutating func record(_ message: StampMessage, isPTP: Bool) {
        guard kind == .followUp, message.report.kinds.contains(.software), let time = message.report.software,
            followUps[message.place].map({ $0.sequence < message.id }) ?? true
        else { return }
        let timestamp =
            isPTP ? PTPTimestamp(unixNanoseconds: time).rawValue : NTPTimestamp(unixNanoseconds: time).rawValue
        followUps[message.place] = FollowUp(
            sequence: message.id, timestamp: timestamp, method: TimestampingMethod.softwareLocal)
    }

    /// Writes a reply, and returns its number and length.
    mutating func answer(
        _ probe: RawSpan, of sender: Int, _ sequence: UInt32, _ received: ReceivedTimes,
        into reply: inout MutableRawSpan, at now: HostTime
    ) -> (number: UInt32, length: Int) {
        let number = kind == .stateless ? sequence : numbers[sender]
        numbers[sender] &+= 1
        let context = ReplyContext(
            sequence: number, receiveNanoseconds: received.software, transmitNanoseconds: now.realtime,
            errorEstimate: now.errorEstimate, ttl: 62, dscp: 0, ecn: 0, followUp: followUps[sender])
        // RFC 8762 alone knows no TLVs: the reply is the base packet.
        let known = kind == .followUp ? probe : probe.extracting(first: STAMP.baseLength)
        let result = writeReply(to: known, into: &reply, context: context)
        return (number, result?.length ?? 0)
    }
}

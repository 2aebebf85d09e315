/// The reason a probe cannot have the requested size.
public enum ProbeLayoutError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The base packet and the TLVs need `minimum` bytes of UDP payload.
    case tooSmall(minimum: Int)
    /// One to three bytes would be left, too few for the header of the padding TLV.
    case cannotPad(nearestSmaller: Int, nearestLarger: Int)
    /// The size exceeds `maximum`, the most that fits into one UDP datagram.
    case tooLarge(maximum: Int)

    public var description: String {
        switch self {
        case .tooSmall(let minimum):
            "the TLVs of a probe need at least \(minimum) bytes of UDP payload; choose \(minimum) or more"
        case .cannotPad(let smaller, let larger):
            "this size leaves no room for a padding header; choose \(smaller) or \(larger) bytes of UDP payload"
        case .tooLarge(let maximum):
            "a UDP datagram carries at most \(maximum) bytes of payload; choose \(maximum) or fewer"
        }
    }
}

/// The offsets of a probe's parts in its UDP payload: base packet, Timestamp Information, Follow-Up Telemetry,
/// ``PairedTimestamps``, Class of Service if requested, and Extra Padding up to the size.
///
/// A reply has the size and the TLVs of its probe, so the probe reserves the room for everything that the reflector
/// fills in. Every offset is that of a TLV's value, four bytes after its header.
public struct ProbeLayout: Hashable, Sendable {
    /// Size of a probe without Class of Service and padding, in bytes of UDP payload.
    public static let minimum = minimumSize(classOfService: false)

    /// Returns the size of a probe without padding, in bytes of UDP payload.
    public static func minimumSize(classOfService: Bool) -> Int {
        STAMP.baseLength + 3 * TLV.headerLength + TimestampInformation.valueLength + FollowUp.valueLength
            + PairedTimestamps.valueLength + (classOfService ? TLV.headerLength + ClassOfService.valueLength : 0)
    }

    /// The largest UDP payload over IPv4, in bytes.
    public static let maximum = 65507

    /// The probe's size in bytes of UDP payload.
    public let size: Int
    public let timestampInformationOffset: Int
    public let followUpOffset: Int
    public let pairedTimestampsOffset: Int
    /// Nil: no Class of Service TLV.
    public let classOfServiceOffset: Int?
    /// Nil: no Extra Padding TLV.
    public let paddingOffset: Int?

    /// Lays out a probe.
    ///
    /// - Parameters:
    ///   - size: bytes of UDP payload; nil for the minimum.
    ///   - classOfService: true to request a DSCP for the reply.
    public init(size: Int?, classOfService: Bool) throws(ProbeLayoutError) {
        let least = Self.minimumSize(classOfService: classOfService)
        let size = size ?? least
        guard size >= least else { throw .tooSmall(minimum: least) }
        guard size <= Self.maximum else { throw .tooLarge(maximum: Self.maximum) }
        guard size == least || size >= least + TLV.headerLength else {
            throw .cannotPad(nearestSmaller: least, nearestLarger: least + TLV.headerLength)
        }
        self.size = size
        timestampInformationOffset = STAMP.baseLength + TLV.headerLength
        followUpOffset = timestampInformationOffset + TimestampInformation.valueLength + TLV.headerLength
        pairedTimestampsOffset = followUpOffset + FollowUp.valueLength + TLV.headerLength
        let end = pairedTimestampsOffset + PairedTimestamps.valueLength
        classOfServiceOffset = classOfService ? end + TLV.headerLength : nil
        paddingOffset = size > least ? least + TLV.headerLength : nil
    }

    /// Writes the parts that are the same in all probes of a session: zeros everywhere, the headers of the TLVs with U
    /// set, and, if the layout has Class of Service, the DSCP requested for the reply. Each probe then adds
    /// ``SenderPacket/write(into:)`` and ``PairedTimestamps/write(into:at:)``.
    ///
    /// Timestamp Information and Follow-Up Telemetry stay zero: a sender must not fill them (RFC 8972 sections 4.3 and
    /// 4.7). Extra Padding is zero, as section 4.1 allows.
    /// - Returns: false, with nothing written, if `payload` is shorter than ``size``.
    @discardableResult
    public func writeFixedParts(into payload: inout MutableRawSpan, requestedDSCP: UInt8) -> Bool {
        guard payload.zero(0..<size) else { return false }
        func header(_ type: UInt8, _ length: Int, before offset: Int, _ payload: inout MutableRawSpan) {
            payload.storeTLVHeader(
                flags: TLV.unrecognizedFlag, type: type, length: length, at: offset - TLV.headerLength)
        }
        header(
            TLVType.timestampInformation, TimestampInformation.valueLength, before: timestampInformationOffset,
            &payload)
        header(TLVType.followUp, FollowUp.valueLength, before: followUpOffset, &payload)
        header(TLVType.pairedTimestamps, PairedTimestamps.valueLength, before: pairedTimestampsOffset, &payload)
        if let offset = classOfServiceOffset {
            header(TLVType.classOfService, ClassOfService.valueLength, before: offset, &payload)
            _ = ClassOfService(requestedDSCP: requestedDSCP).write(into: &payload, at: offset)
        }
        if let offset = paddingOffset {
            header(TLVType.extraPadding, size - offset, before: offset, &payload)
        }
        return true
    }
}

/// Why a probe cannot have the size that was asked for.
public enum ProbeLayoutError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The TLVs alone need `minimum` bytes of UDP payload.
    case tooSmall(minimum: Int)
    /// One to three bytes would be left over, too few for the header of the padding TLV.
    case cannotPad(nearestSmaller: Int, nearestLarger: Int)
    /// More than the `maximum` that fits into one UDP datagram.
    case tooLarge(maximum: Int)

    public var description: String {
        switch self {
        case .tooSmall(let minimum): "a probe has at least \(minimum) bytes of UDP payload"
        case .cannotPad(let smaller, let larger):
            "a probe cannot be padded to this size; the nearest are \(smaller) and \(larger) bytes of UDP payload"
        case .tooLarge(let maximum): "a probe has at most \(maximum) bytes of UDP payload"
        }
    }
}

/// Where the parts of a probe are in its UDP payload: base packet, Timestamp Information, Follow-Up Telemetry,
/// ``PairedStamps``, Class of Service if wanted, and Extra Padding up to the size.
///
/// A reply has the size and the TLVs of its probe, so the probe reserves the room for all that the reflector fills in.
/// Every offset is that of a TLV's value, four bytes after its header.
public struct ProbeLayout: Hashable, Sendable {
    /// Bytes of UDP payload of a probe without Class of Service and padding.
    public static let minimum = minimumSize(classOfService: false)

    /// Bytes of UDP payload of a probe without padding.
    public static func minimumSize(classOfService: Bool) -> Int {
        STAMP.baseLength + 3 * TLV.headerLength + TimestampInformation.valueLength + FollowUp.valueLength
            + PairedStamps.valueLength + (classOfService ? TLV.headerLength + ClassOfService.valueLength : 0)
    }

    /// The largest UDP payload over IPv4.
    public static let maximum = 65507

    /// Bytes of UDP payload.
    public let size: Int
    public let timestampInformationOffset: Int
    public let followUpOffset: Int
    public let pairedStampsOffset: Int
    /// Nil: no Class of Service TLV.
    public let classOfServiceOffset: Int?
    /// Nil: no Extra Padding TLV.
    public let paddingOffset: Int?

    /// - Parameters:
    ///   - size: bytes of UDP payload; nil for the least.
    ///   - classOfService: whether to ask for a DSCP on the way back.
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
        pairedStampsOffset = followUpOffset + FollowUp.valueLength + TLV.headerLength
        let end = pairedStampsOffset + PairedStamps.valueLength
        classOfServiceOffset = classOfService ? end + TLV.headerLength : nil
        paddingOffset = size > least ? least + TLV.headerLength : nil
    }

    /// Writes what is the same in all probes of a session: zeros everywhere, the TLVs' headers with their U flags set,
    /// and the DSCP that the reply shall have, if the layout has room for it. What is left per probe are
    /// ``SenderPacket/write(into:)`` and ``PairedStamps/write(into:at:)``.
    ///
    /// Timestamp Information and Follow-Up Telemetry stay zero: a sender must not fill them (RFC 8972 sections 4.3
    /// and 4.7). Extra padding is zero as section 4.1 allows.
    /// - Returns: false, and nothing written, when `payload` is shorter than ``size``.
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
        header(TLVType.pairedStamps, PairedStamps.valueLength, before: pairedStampsOffset, &payload)
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

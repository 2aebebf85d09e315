extension PacketRecord {
    /// Sets `transmitStamp`, `receiveStamp`, `delay`, `delayClock` and `delayError` from the timestamps that are
    /// present.
    ///
    /// The delay is between the best timestamps of each end by CLOCK_REALTIME: for the sender the driver's, else the
    /// packet scheduler's, else the application's; for the receiver the kernel's, else the application's. The delay's
    /// clock is software if the kernel took both, and app if an application took one. With `usingHardware` the delay is
    /// between the hardware timestamps, converted to CLOCK_REALTIME. ``DelayBasis`` names the two points. The delay is
    /// nil if an end has no such timestamp, if a clock was set in between (`clockEpoch`), or if the difference exceeds
    /// an Int64. `delayError` is nil if the delay is. A negative delay stays negative: it shows that the clocks
    /// disagree (RFC 7679 section 3.7.1).
    ///
    /// - Parameters:
    ///   - error: The bound of the two clocks' error in nanoseconds; nil for a relative delay. The bounds of converted
    ///     hardware timestamps are added.
    ///   - usingHardware: True if the delay is from NIC to NIC.
    public mutating func computeDelay(error: Int64?, usingHardware: Bool = false) {
        transmitStamp = Self.bestStamp(hardware: transmitHardware, software: transmitSoftware, app: transmitApp)
        receiveStamp = Self.bestStamp(hardware: receiveHardware, software: receiveSoftware, app: receiveApp)
        delay = nil
        delayError = nil
        delayClock = nil
        guard clockEpoch != nil else { return }

        if usingHardware {
            guard let value = difference(from: transmitHardwareRealtime, to: receiveHardwareRealtime) else { return }
            delay = value
            delayClock = .hardware
            delayError = Self.sum(error, transmitHardwareError, receiveHardwareError)
        } else {
            let kernelTransmit = transmitSoftware ?? transmitSched
            guard let value = difference(from: kernelTransmit ?? transmitApp, to: receiveSoftware ?? receiveApp)
            else { return }
            delay = value
            delayClock = kernelTransmit != nil && receiveSoftware != nil ? .software : .app
            // The delay before an application reads its clock has no bound.
            delayError = delayClock == .app ? nil : error
        }
    }

    /// Kernel receive timestamp minus driver transmit timestamp in nanoseconds, whatever the basis of `delay`; nil if
    /// one is missing.
    public var softwareDelay: Int64? { difference(from: transmitSoftware, to: receiveSoftware) }

    /// The time between two timestamps of one host, in nanoseconds; nil if one is missing or a clock was set in
    /// between.
    @inline(__always)
    public subscript(stage: HostPathStage) -> Int64? {
        guard clockEpoch != nil else { return nil }
        return switch stage {
        case .appToSched: difference(from: transmitApp, to: transmitSched)
        case .schedToDriver: difference(from: transmitSched, to: transmitSoftware)
        case .driverToNIC: difference(from: transmitSoftware, to: transmitHardwareRealtime)
        case .nicToKernel: difference(from: receiveHardwareRealtime, to: receiveSoftware)
        case .kernelToApp: difference(from: receiveSoftware, to: receiveApp)
        }
    }

    private static func sum(_ first: Int64?, _ second: Int64?, _ third: Int64?) -> Int64? {
        guard let first, let second, let third else { return nil }
        let (two, overflow) = first.addingReportingOverflow(second)
        let (all, overflowOfAll) = two.addingReportingOverflow(third)
        return overflow || overflowOfAll ? nil : all
    }

    private static func bestStamp(hardware: Int64?, software: Int64?, app: Int64?) -> StampKind? {
        if hardware != nil { return .hardware }
        if software != nil { return .software }
        return app != nil ? .app : nil
    }
}

/// Returns `end - start`; nil if either is nil or the difference exceeds an Int64. Timestamps of peers and files can
/// have any value.
@inline(__always)
func difference(from start: Int64?, to end: Int64?) -> Int64? {
    guard let start, let end else { return nil }
    let (value, overflow) = end.subtractingReportingOverflow(start)
    return overflow ? nil : value
}

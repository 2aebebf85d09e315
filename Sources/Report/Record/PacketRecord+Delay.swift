extension PacketRecord {
    /// Fills `transmitStamp`, `receiveStamp`, `delay`, `delayClock` and `delayError` from the timestamps that are present.
    ///
    /// By the kernel's clocks each end gives its software timestamp, or failing that its app timestamp, both CLOCK_REALTIME; the
    /// delay's clock is software when both are, app when either end is app. By the NICs' timestamps it takes both of them as
    /// CLOCK_REALTIME, and no others: one distribution is of one clock. The delay stays nil when an end has no such
    /// timestamp, when a clock was set in between (`clockEpoch`), or when the difference does not fit an Int64; `delayError` is nil whenever the delay is. A negative delay
    /// stays negative: it shows that the clocks disagree (RFC 7679 section 3.7.1).
    ///
    /// - Parameters:
    ///   - error: The bound of the two hosts' clocks in nanoseconds, nil if there is none (a relative delay). Those of the
    ///     NICs' timestamps are added.
    ///   - usingHardware: Whether the delay is to be from NIC to NIC.
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
            guard let value = difference(from: transmitSoftware ?? transmitApp, to: receiveSoftware ?? receiveApp)
            else { return }
            delay = value
            delayClock = transmitSoftware != nil && receiveSoftware != nil ? .software : .app
            // How late a program reads its clock has no bound.
            delayError = delayClock == .app ? nil : error
        }
    }

    /// Receive timestamp minus transmit timestamp by the kernels' clocks alone, in nanoseconds, whatever `delay` is by; nil where
    /// an end has none.
    public var softwareDelay: Int64? { difference(from: transmitSoftware, to: receiveSoftware) }

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

/// `end - start`, or nil where either is absent or the difference does not fit: timestamps come from peers and files.
@inline(__always)
func difference(from start: Int64?, to end: Int64?) -> Int64? {
    guard let start, let end else { return nil }
    let (value, overflow) = end.subtractingReportingOverflow(start)
    return overflow ? nil : value
}

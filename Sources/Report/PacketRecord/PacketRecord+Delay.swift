extension PacketRecord {
    /// Fills `transmitStamp`, `receiveStamp`, `delay`, `delayClock` and `delayError` from the stamps that are present.
    ///
    /// Two hardware stamps make a hardware delay only where `hardwareComparable` says that the two cards' clocks can be
    /// compared. Otherwise each end gives its software stamp, or failing that its app stamp, both CLOCK_REALTIME; the
    /// delay's clock is software when both are, app when either end is app. The delay stays nil when an end has no such
    /// stamp, or when the difference does not fit an Int64; `delayError` is nil whenever the delay is. A negative delay
    /// stays negative: it shows that the clocks disagree (RFC 7679 section 3.7.1).
    ///
    /// - Parameters:
    ///   - error: The bound of the delay's error in nanoseconds, nil if there is none (a relative delay).
    ///   - hardwareComparable: Whether both cards' clocks are known to keep one time.
    public mutating func computeDelay(error: Int64?, hardwareComparable: Bool = false) {
        transmitStamp = Self.bestStamp(hardware: transmitHardware, software: transmitSoftware, app: transmitApp)
        receiveStamp = Self.bestStamp(hardware: receiveHardware, software: receiveSoftware, app: receiveApp)
        delay = nil
        delayError = nil
        delayClock = nil

        let start: Int64
        let end: Int64
        let clock: StampKind
        if hardwareComparable, let sent = transmitHardware, let received = receiveHardware {
            (start, end, clock) = (sent, received, .hardware)
        } else if let sent = transmitSoftware ?? transmitApp, let received = receiveSoftware ?? receiveApp {
            let software = transmitSoftware != nil && receiveSoftware != nil
            (start, end, clock) = (sent, received, software ? .software : .app)
        } else {
            return
        }
        guard let difference = difference(from: start, to: end) else { return }
        delay = difference
        // How late a program reads its clock has no bound.
        delayError = clock == .app ? nil : error
        delayClock = clock
    }

    private static func bestStamp(hardware: Int64?, software: Int64?, app: Int64?) -> StampKind? {
        if hardware != nil { return .hardware }
        if software != nil { return .software }
        return app != nil ? .app : nil
    }
}

/// `end - start`, or nil where either is absent or the difference does not fit: stamps come from peers and files.
@inline(__always)
func difference(from start: Int64?, to end: Int64?) -> Int64? {
    guard let start, let end else { return nil }
    let (value, overflow) = end.subtractingReportingOverflow(start)
    return overflow ? nil : value
}

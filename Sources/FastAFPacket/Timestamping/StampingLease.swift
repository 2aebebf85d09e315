import CLinux
import LinuxKernel

/// A connection's use of a NIC's timestamping, which ends with ``release(to:)``.
///
/// The connections of all processes that switched it on, or joined those that did, share a ``StampingState``. The last
/// one to end restores the NIC. A process that is killed releases its locks without restoring: then the next connection
/// joins, and restores the NIC when it ends.
struct StampingLease: Sendable {
    let stamping: HardwareStamping
    /// The state shared with other connections; `nil` if there is none.
    private let state: StampingState?
    /// The reason for which a connection that switched timestamping on shares no state.
    let obstacle: SystemError?

    init(_ stamping: HardwareStamping, state: StampingState? = nil, obstacle: SystemError? = nil) {
        self.stamping = stamping
        self.state = state
        self.obstacle = obstacle
    }

    /// Switches hardware timestamping on for a connection on `interface`, if the NIC has it and no other program has.
    ///
    /// - Parameters:
    ///   - socket: a socket in the interface's network namespace, which is also that of the calling thread.
    ///   - stampsPTP: true if the NIC is to timestamp received PTP frames when it cannot timestamp all frames.
    static func acquire(
        on interface: Interface, _ capabilities: TimestampingCapabilities, socket: borrowing Descriptor,
        stampsPTP: Bool = false
    ) -> StampingLease {
        let place: Result<StampingState.Place, SystemError>
        do throws(SystemError) {
            place = .success(try StampingState.Place(of: interface, socket: socket))
        } catch {
            place = .failure(error)
        }
        return acquire(
            capabilities, device: HardwareStamping.Device(interface.index, socket: socket), place: place,
            stampsPTP: stampsPTP)
    }

    static func acquire(
        _ capabilities: TimestampingCapabilities, device: HardwareStamping.Device,
        place: Result<StampingState.Place, SystemError>, stampsPTP: Bool = false
    ) -> StampingLease {
        guard capabilities.hasHardwareTransmit || capabilities.hasHardwareReceive else {
            return StampingLease(.unavailable)
        }
        // If the driver's configuration cannot be read, it cannot be restored: leave it unchanged.
        if case .failure(let error) = device.read() { return StampingLease(.refused(error)) }
        do throws(SystemError) {
            let state = try StampingState(lockedAt: try place.get())
            defer { state.unlock() }
            return try acquire(wanted(capabilities, stampsPTP), device, state)
        } catch {
            return acquireAlone(wanted(capabilities, stampsPTP), device, error)
        }
    }

    /// Joins the connections that share the state, or becomes the first of them.
    ///
    /// - Throws: `SystemError` if the state cannot be written. The NIC is then unchanged.
    private static func acquire(
        _ wanted: HardwareStampingConfiguration, _ device: HardwareStamping.Device, _ state: StampingState
    ) throws(SystemError) -> StampingLease {
        let now: HardwareStampingConfiguration
        switch device.read() {
        case .success(let found): now = found
        case .failure(let error): return StampingLease(.refused(error))
        }
        let isAlone = state.isAlone()
        var record = StampingState.Record(granted: .off, requested: .off)
        if now != .off {
            guard let found = state.record(isAlone: isAlone), found.matches(now) else {
                // Another program set this configuration, maybe after the one in the state.
                if isAlone { state.remove() }
                return StampingLease(.borrowed(now))
            }
            record = StampingState.Record(granted: now, requested: found.requested)
        }
        let before = record
        record.requested = record.requested.extended(by: wanted)
        if record.requested == .off {
            if isAlone { state.remove() }
            return StampingLease(.unavailable)
        }
        if record != before {
            // Written first, so that a process killed between the two calls leaves nothing that no record matches.
            try state.write(record)
            switch device.write(record.requested) {
            // Drivers may widen the filter, so the granted configuration is kept.
            case .success(let granted): record.granted = granted
            case .failure(let error):
                guard now == .off else {
                    try state.write(before)
                    return StampingLease(.borrowed(now))
                }
                if isAlone { state.remove() }
                return StampingLease(.refused(error))
            }
            // The file has this length already, so this fails only if the file system does.
            try? state.write(record)
        }
        state.join()
        return StampingLease(.switchedOn(record.granted, previous: .off), state: state)
    }

    /// Switches timestamping on without shared state, if it is off.
    private static func acquireAlone(
        _ wanted: HardwareStampingConfiguration, _ device: HardwareStamping.Device, _ obstacle: SystemError
    ) -> StampingLease {
        switch device.read() {
        case .failure(let error): return StampingLease(.refused(error))
        case .success(let now) where now != .off: return StampingLease(.borrowed(now))
        case .success: break
        }
        guard wanted != .off else { return StampingLease(.unavailable) }
        return switch device.write(wanted) {
        case .success(let granted): StampingLease(.switchedOn(granted, previous: .off), obstacle: obstacle)
        case .failure(let error): StampingLease(.refused(error))
        }
    }

    private static func wanted(
        _ capabilities: TimestampingCapabilities, _ stampsPTP: Bool
    ) -> HardwareStampingConfiguration {
        let filters = [HWTSTAMP_FILTER_ALL.rawValue] + (stampsPTP ? TimestampingCapabilities.filtersOfPTP : [])
        let filter = filters.first { capabilities.receiveFilters & (1 << $0) != 0 } ?? 0
        return HardwareStampingConfiguration(
            transmitType: capabilities.hasHardwareTransmit ? Int32(bitPattern: HWTSTAMP_TX_ON.rawValue) : 0,
            receiveFilter: Int32(bitPattern: filter))
    }

    /// Ends the use. The last connection restores the NIC, unless another program has changed its configuration since.
    func release(to device: HardwareStamping.Device) {
        guard case .switchedOn(let granted, let previous) = stamping else { return }
        let own = StampingState.Record(granted: granted, requested: granted)
        guard let state else {
            _ = Self.restore(previous, own, device)
            return
        }
        // Without the lock, other connections cannot be excluded: the next one restores the NIC.
        guard (try? state.lock()) != nil else { return state.leave() }
        defer { state.unlock() }
        if state.isAlone(), Self.restore(previous, state.record(isAlone: false) ?? own, device) { state.remove() }
        state.leave()
    }

    /// Restores the NIC if its configuration matches the record.
    ///
    /// - Returns: false if the driver refused, so that a later connection has to restore it.
    private static func restore(
        _ previous: HardwareStampingConfiguration, _ record: StampingState.Record, _ device: HardwareStamping.Device
    ) -> Bool {
        guard case .success(let now) = device.read(), record.matches(now) else { return true }
        if case .failure = device.write(previous) { return false }
        return true
    }
}

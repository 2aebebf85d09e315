import LinuxKernel
import Synchronization

/// The state that other threads share with a packet thread: the request to stop, the next hop and the clock's error.
final class SessionControl: Sendable {
    /// The kinds of a request to stop.
    enum Stop: UInt8 {
        /// No stop is requested.
        case no
        /// Stop sending, and wait for outstanding replies and timestamps.
        case finish
        /// Stop at once.
        case abort
    }

    let signal: EventSignal
    private let stopState = Atomic<UInt8>(Stop.no.rawValue)
    private let nextHop: Atomic<UInt64>
    private let estimate: Atomic<UInt32>
    private let silence = Atomic<Bool>(false)

    /// Creates the state of one packet thread.
    ///
    /// - Parameter nextHop: the destination MAC address of probes; 0 if the kernel determines it.
    init(nextHop: UInt64, errorEstimate: UInt16) throws(SystemError) {
        signal = try EventSignal()
        self.nextHop = Atomic(nextHop)
        estimate = Atomic(UInt32(errorEstimate))
    }

    var stop: Stop { Stop(rawValue: stopState.load(ordering: .acquiring)) ?? .abort }

    /// Requests a stop. A second request can only be more urgent.
    func requestStop(_ stop: Stop) {
        _ = stopState.max(stop.rawValue, ordering: .acquiringAndReleasing)
        signal.raise()
    }

    var nextHopMAC: UInt64 {
        get { nextHop.load(ordering: .relaxed) }
        set { nextHop.store(newValue, ordering: .relaxed) }
    }

    /// True if no reply was received for longer than the timeout. The session-sender sets it.
    var isPeerSilent: Bool {
        get { silence.load(ordering: .relaxed) }
        set { silence.store(newValue, ordering: .relaxed) }
    }

    /// The local clock's error estimate in its wire format (RFC 4656 section 4.1.2).
    var errorEstimate: UInt16 {
        get { UInt16(truncatingIfNeeded: estimate.load(ordering: .relaxed)) }
        set { estimate.store(UInt32(newValue), ordering: .relaxed) }
    }
}

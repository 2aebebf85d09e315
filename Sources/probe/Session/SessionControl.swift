import LinuxKernel
import Synchronization

/// What other threads tell a packet thread: when to end, and what has changed around it.
final class SessionControl: Sendable {
    /// How a session is to end.
    enum Stop: UInt8 {
        /// It is not.
        case no
        /// Send no more, but fetch what is still missing.
        case finish
        /// At once.
        case abort
    }

    let signal: EventSignal
    private let stopState = Atomic<UInt8>(Stop.no.rawValue)
    private let nextHop: Atomic<UInt64>
    private let estimate: Atomic<UInt32>
    private let silence = Atomic<Bool>(false)

    /// - Parameter nextHop: the MAC address that probes go to; 0 where the kernel finds it.
    init(nextHop: UInt64, errorEstimate: UInt16) throws(SystemError) {
        signal = try EventSignal()
        self.nextHop = Atomic(nextHop)
        estimate = Atomic(UInt32(errorEstimate))
    }

    var stop: Stop { Stop(rawValue: stopState.load(ordering: .acquiring)) ?? .abort }

    /// Asks the thread to end; a second ask can only be more urgent.
    func requestStop(_ stop: Stop) {
        _ = stopState.max(stop.rawValue, ordering: .acquiringAndReleasing)
        signal.raise()
    }

    var nextHopMAC: UInt64 {
        get { nextHop.load(ordering: .relaxed) }
        set { nextHop.store(newValue, ordering: .relaxed) }
    }

    /// Told by the sender: no reply for longer than the timeout.
    var isPeerSilent: Bool {
        get { silence.load(ordering: .relaxed) }
        set { silence.store(newValue, ordering: .relaxed) }
    }

    /// The local clock's error estimate in its wire form.
    var errorEstimate: UInt16 {
        get { UInt16(truncatingIfNeeded: estimate.load(ordering: .relaxed)) }
        set { estimate.store(UInt32(newValue), ordering: .relaxed) }
    }
}

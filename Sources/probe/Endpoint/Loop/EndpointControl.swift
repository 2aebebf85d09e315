import LinuxKernel
import NetworkAddresses
import STAMPSession
import Synchronization

/// The state that other threads share with an endpoint's thread.
final class EndpointControl: Sendable {
    /// A change that the endpoint's thread makes when it wakes.
    enum Command: Sendable {
        /// The MAC address of a session's next hop.
        case nextHop(session: Int, MACAddress)
        /// The addresses to answer on a reflector's socket.
        case admit(socket: Int, Admission)
    }

    let signal: EventSignal
    private let stopState = Atomic<UInt8>(SessionSender.Stop.no.rawValue)
    private let estimate: Atomic<UInt32>
    private let commands = Mutex<[Command]>([])
    private let silent = Mutex<[Int]>([])

    init(errorEstimate: UInt16) throws(SystemError) {
        signal = try EventSignal()
        estimate = Atomic(UInt32(errorEstimate))
    }

    /// The requested stop.
    var stop: SessionSender.Stop { SessionSender.Stop(rawValue: stopState.load(ordering: .acquiring)) ?? .abort }

    /// Requests a stop. A later request can only be more urgent.
    func requestStop(_ stop: SessionSender.Stop) {
        _ = stopState.max(stop.rawValue, ordering: .acquiringAndReleasing)
        signal.raise()
    }

    /// The sessions whose peers have not replied for longer than the timeout. The endpoint's thread sets them, once a
    /// second at most.
    var silentSessions: [Int] {
        get { silent.withLock { $0 } }
        set { silent.withLock { $0 = newValue } }
    }

    /// Passes a command to the endpoint's thread.
    func post(_ command: Command) {
        commands.withLock { $0.append(command) }
        signal.raise()
    }

    /// Removes and returns the commands that were posted.
    func takeCommands() -> [Command] {
        commands.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
    }

    /// The local clock's error estimate in its wire format (RFC 4656 section 4.1.2).
    var errorEstimate: UInt16 {
        get { UInt16(truncatingIfNeeded: estimate.load(ordering: .relaxed)) }
        set { estimate.store(UInt32(newValue), ordering: .relaxed) }
    }
}

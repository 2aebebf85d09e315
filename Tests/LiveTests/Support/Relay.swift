import LinuxKernel
import Synchronization

/// Passes frames between the two sides of a `.relay` lab, in both directions, and drops, duplicates, delays or
/// reorders some of them.
final class Relay: Sendable {
    /// The treatment of a frame.
    enum Treatment: Sendable {
        case pass
        case drop
        case duplicate
        /// Passed on after a number of nanoseconds; later frames may overtake it.
        case delay(Int64)
        /// Passed on right after the next frame of the same kind.
        case swapWithNext
    }

    private let threads: [TestThread]

    /// Starts the relay.
    ///
    /// - Parameters:
    ///   - fromA: Returns the treatment of each STAMP packet from `a` to `b`. All other frames pass.
    ///   - fromB: The same for packets from `b` to `a`.
    init(
        _ lab: Lab, fromA: @escaping @Sendable (WireFrame) -> Treatment = { _ in .pass },
        fromB: @escaping @Sendable (WireFrame) -> Treatment = { _ in .pass }
    ) throws {
        // Each direction's thread reads from one socket and sends on the other.
        let a = Endpoint(try RawSocket(namespace: lab.middle, interface: "to-a"))
        let b = Endpoint(try RawSocket(namespace: lab.middle, interface: "to-b"))
        threads = [
            TestThread { stop in Self.pass(from: a, to: b, fromA, stop) },
            TestThread { stop in Self.pass(from: b, to: a, fromB, stop) },
        ]
    }

    /// Ends both threads and waits until they have ended.
    func end() { threads.forEach { $0.end() } }

    private final class Endpoint: Sendable {
        let socket: RawSocket
        init(_ socket: consuming RawSocket) { self.socket = socket }
    }

    private static func pass(
        from source: Endpoint, to target: Endpoint, _ treatment: (WireFrame) -> Treatment, _ stop: Int32
    ) {
        var delayed: [(due: Int64, bytes: [UInt8])] = []
        var swapped: (kind: WireFrame.Kind, bytes: [UInt8])?
        while !TestThread.mustEnd(stop) {
            while let received = source.socket.receive() {
                if received.isOutgoing { continue }
                let frame = WireFrame(received.bytes)
                switch frame.map(treatment) ?? .pass {
                case .pass: target.socket.send(received.bytes)
                case .drop: continue
                case .duplicate:
                    target.socket.send(received.bytes)
                    target.socket.send(received.bytes)
                case .delay(let time): delayed.append((ClockID.monotonic.now() + time, received.bytes))
                case .swapWithNext:
                    swapped = frame.map { ($0.kind, received.bytes) }
                    continue
                }
                if let waiting = swapped, waiting.kind == frame?.kind {
                    target.socket.send(waiting.bytes)
                    swapped = nil
                }
            }
            let now = ClockID.monotonic.now()
            for frame in delayed where frame.due <= now { target.socket.send(frame.bytes) }
            delayed.removeAll { $0.due <= now }
            let next = delayed.map(\.due).min()
            source.socket.wait(nanoseconds: next.map { max(0, $0 - ClockID.monotonic.now()) } ?? -1, orUntil: stop)
        }
    }
}

/// Sequence numbers chosen by a test. The relay's threads claim each one once.
final class Chosen: Sendable {
    private let left: Mutex<Set<UInt32>>

    init(_ sequences: some Sequence<UInt32>) { left = Mutex(Set(sequences)) }

    /// Returns true the first time that it is called with a chosen number.
    func claim(_ sequence: UInt32) -> Bool { left.withLock { $0.remove(sequence) != nil } }

    /// The numbers that were never claimed.
    var remaining: Set<UInt32> { left.withLock { $0 } }
}

/// A count that one thread increments and another reads.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() { count.wrappingAdd(1, ordering: .relaxed) }
}

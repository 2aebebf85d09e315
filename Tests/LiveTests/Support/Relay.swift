import LinuxKernel
import Synchronization

/// Passes whole frames between the two sides of a `.relay` lab, in both directions, and does to some of them what links
/// can do to packets.
final class Relay: Sendable {
    /// What becomes of a frame.
    enum Treatment: Sendable {
        case pass
        case drop
        case duplicate
        /// Passed on so many nanoseconds later; frames behind it may overtake it.
        case hold(Int64)
        /// Passed on right after the next frame of the same kind.
        case swapWithNext
    }

    private let threads: [TestThread]

    /// - Parameters:
    ///   - fromA: What becomes of STAMP packets from a to b; all other frames pass.
    ///   - fromB: The same for those from b to a.
    init(
        _ lab: Lab, fromA: @escaping @Sendable (WireFrame) -> Treatment = { _ in .pass },
        fromB: @escaping @Sendable (WireFrame) -> Treatment = { _ in .pass }
    ) throws {
        // A socket for each direction to read from; each also sends what the other direction's thread hands it.
        let a = Endpoint(try RawSocket(namespace: lab.middle, interface: "to-a"))
        let b = Endpoint(try RawSocket(namespace: lab.middle, interface: "to-b"))
        threads = [
            TestThread { stop in Self.pass(from: a, to: b, fromA, stop) },
            TestThread { stop in Self.pass(from: b, to: a, fromB, stop) },
        ]
    }

    func end() { threads.forEach { $0.end() } }

    private final class Endpoint: Sendable {
        let socket: RawSocket
        init(_ socket: consuming RawSocket) { self.socket = socket }
    }

    private static func pass(
        from source: Endpoint, to target: Endpoint, _ treatment: (WireFrame) -> Treatment, _ stop: Int32
    ) {
        var held: [(due: Int64, bytes: [UInt8])] = []
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
                case .hold(let time): held.append((ClockID.monotonic.now() + time, received.bytes))
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
            for frame in held where frame.due <= now { target.socket.send(frame.bytes) }
            held.removeAll { $0.due <= now }
            let next = held.map(\.due).min()
            source.socket.wait(nanoseconds: next.map { max(0, $0 - ClockID.monotonic.now()) } ?? -1, orUntil: stop)
        }
    }
}

/// Sequence numbers chosen by a test, each one treated once: the relay's threads ask for them.
final class Chosen: Sendable {
    private let left: Mutex<Set<UInt32>>

    init(_ sequences: some Sequence<UInt32>) { left = Mutex(Set(sequences)) }

    /// Whether this one was chosen, the first time that it is asked for.
    func take(_ sequence: UInt32) -> Bool { left.withLock { $0.remove(sequence) != nil } }

    /// Those that never came by.
    var remaining: Set<UInt32> { left.withLock { $0 } }
}

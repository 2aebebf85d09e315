import Synchronization

/// Captures the frames of one side's interface on an independent packet socket, with the kernel's timestamps.
final class Capture: Sendable {
    struct Packet: Sendable {
        let frame: WireFrame
        let length: Int
        /// CLOCK_REALTIME in nanoseconds.
        let stamp: Int64
        let isOutgoing: Bool
    }

    private let captured: Captured
    private let thread: TestThread

    private final class Captured: Sendable {
        let packets = Mutex<[Packet]>([])
    }

    /// Starts the capture.
    ///
    /// - Parameter port: The reflectors' port.
    init(_ lab: Lab, _ side: Lab.Side, port: UInt16 = 862) throws {
        let socket = try RawSocket(namespace: lab.namespace(side), interface: Lab.interface)
        let captured = Captured()
        self.captured = captured
        thread = TestThread { stop in
            while true {
                let isLast = TestThread.mustEnd(stop)
                while let received = socket.receive() {
                    guard let frame = WireFrame(received.bytes, port: port), let stamp = received.stamp else {
                        continue
                    }
                    captured.packets.withLock {
                        $0.append(
                            Packet(
                                frame: frame, length: received.bytes.count, stamp: stamp,
                                isOutgoing: received.isOutgoing))
                    }
                }
                if isLast { return }
                socket.wait(nanoseconds: -1, orUntil: stop)
            }
        }
    }

    /// Ends the capture and returns the captured packets.
    func end() -> [Packet] {
        thread.end()
        return captured.packets.withLock { $0 }
    }
}

extension Sequence<Capture.Packet> {
    /// The probes or replies that this side sent or received.
    func of(_ kind: WireFrame.Kind, outgoing: Bool) -> [Capture.Packet] {
        filter { $0.frame.kind == kind && $0.isOutgoing == outgoing }
    }

    /// The first packet of each sequence number.
    var bySequence: [UInt32: Capture.Packet] {
        Dictionary(map { ($0.frame.sequence, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

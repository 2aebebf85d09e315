import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// Sends a few frames on an interface, reads their timestamps, and records what arrives within a second.
struct FrameTrialRun: ~Copyable {
    /// A STAMP reflector, and the path to it.
    struct Peer: Sendable {
        var address: IPAddress
        var source: IPAddress
        var macAddress: MACAddress
    }

    private enum Frame { case ordinary, ptp, probe }

    /// The time between frames, in nanoseconds. NICs that hold one timestamp at a time are free again by then.
    private static let intervalNanoseconds: Int64 = 40_000_000
    /// The longest wait for the last frame's timestamps and reply, in nanoseconds.
    private static let timeout: Int64 = 300_000_000
    /// The shortest time to listen for frames, in nanoseconds.
    private static let span: Int64 = 1_000_000_000
    /// ETH_P_ALL.
    private static let everything: UInt16 = 3

    private let interface: Interface
    private let conn: PacketConn
    private let stop: StopSignal
    private let reservation: PortReservation?
    private let template: UDPFrameTemplate?
    private let macAddress: MACAddress
    private var account = FrameTrialAccount()
    private var receiveBatch = ReceiveBatch(capacity: 64, packetBytes: 256)
    private var stampBatch = StampBatch(capacity: 64)

    /// Runs the trial. When it returns or throws, the interface's settings are restored.
    static func run(on interface: Interface, peer: Peer?, stop: StopSignal) throws(SystemError) -> FrameTrial {
        var configuration = PacketConn.Configuration()
        configuration.stampsReceivedPTP = true
        configuration.options.multicastGroups = [DoctorFrames.linkLocalGroup, DoctorFrames.generalGroup]
        let conn = try PacketConn.listen(on: interface, etherType: everything, configuration: configuration)
        defer { conn.close() }
        var run = try FrameTrialRun(on: interface, conn, peer, stop)
        return try run.perform()
    }

    private init(
        on interface: Interface, _ conn: PacketConn, _ peer: Peer?, _ stop: StopSignal
    ) throws(SystemError) {
        self.interface = interface
        self.conn = conn
        self.stop = stop
        guard let peer else {
            macAddress = interface.macAddress
            reservation = nil
            template = nil
            return
        }
        let reservation = try PortReservation.ephemeral(isIPv4: peer.address.isIPv4, on: interface)
        let port = reservation.port
        self.reservation = consume reservation
        template = UDPFrameTemplate(
            destinationMAC: peer.macAddress, sourceMAC: interface.macAddress, source: peer.source,
            destination: peer.address, sourcePort: port, destinationPort: STAMP.port)
        macAddress = peer.macAddress
    }

    private mutating func perform() throws(SystemError) -> FrameTrial {
        account.change {
            $0.stamping = conn.hardwareStamping
            if template != nil { $0.peer = FrameTrial.PeerAnswers() }
        }
        let frames: [Frame] = (0..<4).flatMap { _ in
            [.ordinary, .ptp, .ordinary] + (template == nil ? [] : [.probe])
        }
        // Random IDs, so that no counter of the kernel can match them by chance.
        var ids = Set<UInt32>()
        while ids.count < frames.count { ids.insert(.random(in: 1 << 16...UInt32.max)) }
        do throws(SystemError) {
            try send(frames, Array(ids))
        } catch {
            account.change { $0.failure = error }
        }
        return account.trial
    }

    private mutating func send(_ frames: [Frame], _ ids: [UInt32]) throws(SystemError) {
        let start = ClockID.monotonic.now()
        // Each deadline counts from the last frame, not from the start: after a delay, the host must not send a burst.
        var (next, last) = (0, start - Self.intervalNanoseconds)
        while true {
            let isOver = next == frames.count
            let due = isOver ? max(start + Self.span, last + Self.timeout) : last + Self.intervalNanoseconds
            if ClockID.monotonic.now() >= due {
                guard !isOver else {
                    try receiveStamps()
                    return try receive()
                }
                try send(frames[next], id: ids[next])
                (next, last) = (next + 1, ClockID.monotonic.now())
                continue
            }
            let activity = try conn.waitForActivity(until: due, signal: stop.signal)
            if activity.contains(.signal) { return account.change { $0.isInterrupted = true } }
            try receiveStamps()
            try receive()
        }
    }

    private mutating func send(_ frame: Frame, id: UInt32) throws(SystemError) {
        let bytes: [UInt8]?
        switch frame {
        case .ordinary: bytes = DoctorFrames.ordinary(to: macAddress, from: interface.macAddress)
        case .ptp:
            bytes = DoctorFrames.sync(
                from: interface.macAddress, sequence: UInt16(truncatingIfNeeded: account.trial.ptp.frames))
        case .probe:
            bytes = template.flatMap {
                DoctorFrames.probe(
                    $0, sequence: UInt32(clamping: account.trial.peer?.probes ?? 0), time: ClockID.realtime.now())
            }
        }
        guard let bytes else { return }
        let time = ClockID.realtime.now()
        do throws(SystemError) {
            try conn.writeTo(bytes, id: id)
        } catch  where error.code == ErrorCode.noBuffers {
            // The interface's queue is full: skip this frame.
            return
        }
        account.record(id: id, frame == .ptp ? .ptp : .ordinary, time: time)
        if frame == .probe { account.change { $0.peer?.probes += 1 } }
    }

    private mutating func receiveStamps() throws(SystemError) {
        while try conn.receiveTransmitStampsNow(&stampBatch) > 0 {
            stampBatch.forEach { account.record($0) }
        }
    }

    private mutating func receive() throws(SystemError) {
        // Limited, so that a busy link does not keep the trial from sending.
        for _ in 0..<EndpointLoop.rounds {
            guard try conn.receiveNow(&receiveBatch) > 0 else { return }
            receiveBatch.forEach { bytes, packet in
                if let kind = DoctorFrames.kind(of: bytes, etherType: packet.link?.etherType ?? 0) {
                    account.record(received: kind, packet.stamps)
                }
                if let template, let peer = account.trial.peer,
                    DoctorFrames.isReply(bytes, to: template, probes: peer.probes)
                {
                    account.change { $0.peer?.replies += 1 }
                }
            }
        }
    }
}

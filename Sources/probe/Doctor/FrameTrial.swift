import FastAFPacket
import LinuxKernel

/// What came of sending frames with timestamps and of what arrived meanwhile.
struct FrameTrial: Hashable, Sendable {
    /// Frames of one kind that were sent, and how many of them got each timestamp.
    struct Sent: Hashable, Sendable {
        var frames = 0
        var sched = 0
        var software = 0
        var hardware = 0
    }

    /// Frames of one kind that arrived, and how many of them had each timestamp.
    struct Received: Hashable, Sendable {
        var frames = 0
        var software = 0
        var hardware = 0

        mutating func record(_ stamps: SocketTimestamps) {
            frames += 1
            if stamps.software != nil { software += 1 }
            if stamps.hardware != nil { hardware += 1 }
        }
    }

    /// STAMP probes to the peer.
    struct PeerAnswers: Hashable, Sendable {
        var probes = 0
        var replies = 0
    }

    /// How the NIC's timestamping stood meanwhile.
    var stamping = HardwareStamping.unavailable
    var ordinary = Sent()
    var ptp = Sent()
    var receivedOrdinary = Received()
    var receivedPTP = Received()
    /// Timestamps with the id of a frame that was on its way then, each kind once.
    var localStamps = 0
    /// Others: an id that was never given, a kind that had come, or a time before the frame was handed in.
    var strayStamps = 0
    /// The longest time from SCHED to the driver, in nanoseconds.
    var longestQueueing: Int64 = 0
    var peer: PeerAnswers?
    /// What ended it early.
    var failure: SystemError?
    var isInterrupted = false
}

/// Which of the two kinds a frame is whose timestamps are told apart: many NICs timestamp PTP frames alone on receipt.
enum FrameKind: Hashable, Sendable {
    case ordinary
    /// A PTP event message directly over Ethernet.
    case ptp
}

/// Enters frames and timestamps into a ``FrameTrial``, each timestamp by its id.
struct FrameTrialAccount {
    private struct Frame {
        var kind: FrameKind
        /// When it was handed in, CLOCK_REALTIME.
        var time: Int64
        var stamps: TransmitStampKinds = []
        var sched: Int64?
    }

    private(set) var trial = FrameTrial()
    private var frames: [UInt32: Frame] = [:]

    /// Enters a frame that was sent.
    mutating func record(id: UInt32, _ kind: FrameKind, time: Int64) {
        frames[id] = Frame(kind: kind, time: time)
        update(kind) { $0.frames += 1 }
    }

    mutating func record(_ stamp: TransmitStamp) {
        let kinds = stamp.kinds
        guard var frame = frames[stamp.id], !kinds.isEmpty, frame.stamps.isDisjoint(with: kinds),
            stamp.stamps.software.map({ $0 >= frame.time }) ?? true
        else {
            trial.strayStamps += 1
            return
        }
        trial.localStamps += 1
        frame.stamps.formUnion(kinds)
        if kinds.contains(.sched) { frame.sched = stamp.stamps.software }
        if kinds.contains(.software), let entered = frame.sched, let left = stamp.stamps.software {
            trial.longestQueueing = max(trial.longestQueueing, left - entered)
        }
        frames[stamp.id] = frame
        update(frame.kind) {
            if kinds.contains(.sched) { $0.sched += 1 }
            if kinds.contains(.software) { $0.software += 1 }
            if kinds.contains(.hardware) { $0.hardware += 1 }
        }
    }

    mutating func record(received kind: FrameKind, _ stamps: SocketTimestamps) {
        switch kind {
        case .ordinary: trial.receivedOrdinary.record(stamps)
        case .ptp: trial.receivedPTP.record(stamps)
        }
    }

    mutating func change(_ body: (inout FrameTrial) -> Void) { body(&trial) }

    private mutating func update(_ kind: FrameKind, _ body: (inout FrameTrial.Sent) -> Void) {
        switch kind {
        case .ordinary: body(&trial.ordinary)
        case .ptp: body(&trial.ptp)
        }
    }
}

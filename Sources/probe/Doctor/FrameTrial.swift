import FastAFPacket
import LinuxKernel

/// The result of sending frames with timestamps and of receiving frames at the same time.
struct FrameTrial: Hashable, Sendable {
    /// The frames of one kind that were sent, and the number of them that got each timestamp.
    struct Sent: Hashable, Sendable {
        var frames = 0
        var sched = 0
        var software = 0
        var hardware = 0
    }

    /// The frames of one kind that arrived, and the number of them that had each timestamp.
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

    /// STAMP probes to the peer, and its replies.
    struct PeerAnswers: Hashable, Sendable {
        var probes = 0
        var replies = 0
    }

    /// The NIC's timestamping during the trial.
    var stamping = HardwareStamping.unavailable
    var ordinary = Sent()
    var ptp = Sent()
    var receivedOrdinary = Received()
    var receivedPTP = Received()
    /// Timestamps that match a frame by ID, time and kind; each kind counts once.
    var matchedStamps = 0
    /// All other timestamps: with an unknown ID, of a kind that the frame already has, or earlier than its send call.
    var unmatchedStamps = 0
    /// The longest time from SCHED to the driver, in nanoseconds.
    var longestQueueing: Int64 = 0
    var peer: PeerAnswers?
    /// The error that ended the trial early.
    var failure: SystemError?
    var isInterrupted = false
}

/// The kind of a frame. The two kinds are counted separately, since many NICs timestamp only PTP frames on receipt.
enum FrameKind: Hashable, Sendable {
    case ordinary
    /// A PTP event message directly over Ethernet.
    case ptp
}

/// Records frames and timestamps in a ``FrameTrial``, and matches each timestamp to its frame by ID.
struct FrameTrialAccount {
    private struct Frame {
        var kind: FrameKind
        /// The time of its send call, in CLOCK_REALTIME nanoseconds.
        var time: Int64
        var stamps: TransmitStampKinds = []
        var sched: Int64?
    }

    private(set) var trial = FrameTrial()
    private var frames: [UInt32: Frame] = [:]

    /// Records a frame that was sent.
    mutating func record(id: UInt32, _ kind: FrameKind, time: Int64) {
        frames[id] = Frame(kind: kind, time: time)
        update(kind) { $0.frames += 1 }
    }

    mutating func record(_ stamp: TransmitStamp) {
        let kinds = stamp.kinds
        guard var frame = frames[stamp.id], !kinds.isEmpty, frame.stamps.isDisjoint(with: kinds),
            stamp.stamps.software.map({ $0 >= frame.time }) ?? true
        else {
            trial.unmatchedStamps += 1
            return
        }
        trial.matchedStamps += 1
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

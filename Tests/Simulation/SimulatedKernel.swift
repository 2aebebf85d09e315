import STAMPSession
import STAMPWire

/// The times of one packet in the sending host: what its kernel and NIC report, and the true times of these points.
struct SentTimes {
    var app: Int64 = 0
    var sched: Int64 = 0
    var software: Int64 = 0
    var nic = HardwareStamp.none
    var trueApp: Int64 = 0
    var trueSched: Int64 = 0
    var trueSoftware: Int64 = 0
    var trueNIC: Int64 = 0
}

/// The times of one packet in the receiving host.
struct ReceivedTimes {
    var software: Int64 = 0
    var app: Int64 = 0
    var nic = HardwareStamp.none
    var trueSoftware: Int64 = 0
    var trueApp: Int64 = 0
    var trueNIC: Int64 = 0

    /// As the application passes them to a session.
    var times: ReceiveTimes { ReceiveTimes(nic: nic, software: software, app: app) }
}

/// The kernel and NIC of one host: the timestamps that they take, and what becomes of the messages with them.
struct SimulatedKernel {
    /// The transmit timestamps that are requested.
    var stamps: StampKinds = [.sched, .software]
    /// The probabilities that a timestamp is never taken, arrives after it has been written off, or arrives twice.
    var skipped = 0.0
    var late = 0.0
    var doubled = 0.0
    /// The probability that the NIC alone takes no timestamp.
    var skippedByNIC = 0.0
    /// The mean delay of a message with timestamps.
    var stampDelay: Int64 = 20_000
    /// True if one message has the driver's and the NIC's timestamp.
    var joinsMessages = false
    /// The messages and packets that a socket's queues hold.
    var stampQueueLimit = 4096
    var receiveQueueLimit = 4096
    /// The largest error of a NIC timestamp that is converted to CLOCK_REALTIME.
    var conversionError: Int64 = 50
    /// The probabilities for each packet that a refusal to send begins, and ends, and the errno.
    var refusal = 0.0
    var acceptance = 0.5
    var refusalCode: Int32 = 105

    private var isRefusing = false

    /// Returns the errno of a refusal to send a packet; nil if it is accepted.
    mutating func refusesPacket(_ random: inout SplitMix64) -> Int32? {
        guard refusal > 0 else { return nil }
        isRefusing = isRefusing ? !random.chance(acceptance) : random.chance(refusal)
        return isRefusing ? refusalCode : nil
    }

    /// The times of a packet whose application timestamp is taken at a true time.
    func send(at time: Int64, _ clock: SimulatedClock, _ random: inout SplitMix64) -> SentTimes {
        var sent = SentTimes()
        sent.trueApp = time
        sent.trueSched = time + random.between(200, 5_000)
        sent.trueSoftware = sent.trueSched + random.between(300, 20_000)
        sent.trueNIC = sent.trueSoftware + random.between(100, 3_000)
        sent.app = clock.realtime(at: sent.trueApp)
        sent.sched = clock.realtime(at: sent.trueSched)
        sent.software = clock.realtime(at: sent.trueSoftware)
        if stamps.contains(.hardware) { sent.nic = stamp(at: sent.trueNIC, clock, &random) }
        return sent
    }

    /// The times of a packet that arrives at a true time, without the application's.
    func receive(at time: Int64, _ clock: SimulatedClock, _ random: inout SplitMix64) -> ReceivedTimes {
        var received = ReceivedTimes()
        received.trueNIC = time
        received.trueSoftware = time + random.between(100, 5_000)
        received.software = clock.realtime(at: received.trueSoftware)
        if stamps.contains(.hardware) { received.nic = stamp(at: time, clock, &random) }
        return received
    }

    private func stamp(at time: Int64, _ clock: SimulatedClock, _ random: inout SplitMix64) -> HardwareStamp {
        HardwareStamp(
            time: time &- 1_600_000_000_000_000_000,
            realtime: clock.realtime(at: time) + random.between(-conversionError, conversionError),
            error: UInt32(conversionError))
    }

    /// The time at which a message arrives that a packet's timestamps are in; nil if it is never sent.
    func messageArrival(_ kinds: StampKinds, after time: Int64, _ random: inout SplitMix64) -> Int64? {
        if random.chance(skipped) { return nil }
        if kinds.contains(.hardware), random.chance(skippedByNIC) { return nil }
        if random.chance(late) { return time + random.between(1_300_000_000, 4_000_000_000) }
        return time + 1_000 + random.exponential(mean: stampDelay)
    }
}

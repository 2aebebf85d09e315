import Testing

@testable import STAMPSession

@Suite struct ClockEpochsTests {
    private var epochs = ClockEpochs()

    @Test mutating func `Each step of either clock begins a clock epoch`() {
        #expect(
            epochs.update(reported: 200, isOneClock: false) == false, "a step before the session does not count")
        #expect(epochs.current == 0)
        epochs.follow(localSteps: 1)
        #expect(epochs.current == 1 && epochs.lastPeerStep == 0)
        epochs.follow(localSteps: 1)
        #expect(epochs.current == 1)
        #expect(epochs.update(reported: 201, isOneClock: false) == true)
        #expect(epochs.current == 2 && epochs.lastPeerStep == 2)
        #expect(epochs.update(reported: 201, isOneClock: false) == false)
        epochs.recordPeerStep()
        #expect(epochs.current == 3 && epochs.lastPeerStep == 3)
    }

    @Test func `Local steps before a session do not count`() {
        var late = ClockEpochs(localSteps: 7)
        late.follow(localSteps: 7)
        #expect(late.current == 0)
        late.follow(localSteps: 9)
        #expect(late.current == 1, "steps without a packet between them begin one epoch")
    }

    @Test mutating func `The peer's count wraps from 255 to 0, and an older count is that of a reordered packet`() {
        _ = epochs.update(reported: 255, isOneClock: false)
        #expect(epochs.update(reported: 0, isOneClock: false) == true)
        #expect(epochs.update(reported: 255, isOneClock: false) == false)
        #expect(epochs.update(reported: 0, isOneClock: false) == false)
        #expect(epochs.current == 1)
    }

    @Test mutating func `On a shared clock, a step that the peer reports is the one that this host saw`() {
        _ = epochs.update(reported: 3, isOneClock: true)
        epochs.follow(localSteps: 1)
        #expect(epochs.update(reported: 4, isOneClock: true) == false)
        #expect(epochs.current == 1)
        epochs.follow(localSteps: 3)
        #expect(epochs.update(reported: 6, isOneClock: true) == false)
        #expect(epochs.current == 2)
        #expect(
            epochs.update(reported: 7, isOneClock: true) == true,
            "a step that this host did not see is of another clock")
        #expect(epochs.current == 3)
    }

    @Test mutating func `A peer that restarts counts from its new count`() {
        _ = epochs.update(reported: 3, isOneClock: false)
        epochs.resetPeer()
        #expect(epochs.update(reported: 0, isOneClock: false) == false)
        #expect(epochs.update(reported: 1, isOneClock: false) == true)
    }

    @Test mutating func `Rows number clock epochs from the start of the measurement, up to 65,535`() {
        epochs.follow(localSteps: 1)
        epochs.begin()
        #expect(epochs.label(epochs.current) == 0)
        for count in UInt32(2)...65_536 { epochs.follow(localSteps: count) }
        #expect(epochs.label(epochs.current) == 65_535)
        epochs.follow(localSteps: 65_537)
        #expect(epochs.label(epochs.current) == nil)
    }
}

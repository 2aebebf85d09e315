import Testing

@testable import probe

@Suite struct ClockEpochsTests {
    private var epochs = ClockEpochs()

    @Test mutating func `Each step begins a epochDelays, whoever's clock it was`() {
        #expect(
            epochs.update(reported: 200, isOneClock: false) == false, "what was before the session is no step of it")
        #expect(epochs.current == 0)
        epochs.follow(localSteps: 1)
        #expect(epochs.current == 1 && epochs.ofPeer == 0)
        epochs.follow(localSteps: 1)
        #expect(epochs.current == 1)
        #expect(epochs.update(reported: 201, isOneClock: false) == true)
        #expect(epochs.current == 2 && epochs.ofPeer == 2)
        #expect(epochs.update(reported: 201, isOneClock: false) == false)
        epochs.beginWithPeer()
        #expect(epochs.current == 3 && epochs.ofPeer == 3)
    }

    @Test func `Own steps before a session are none of it`() {
        var late = ClockEpochs(localSteps: 7)
        late.follow(localSteps: 7)
        #expect(late.current == 0)
        late.follow(localSteps: 9)
        #expect(late.current == 1, "two steps that nothing came between are one")
    }

    @Test mutating func `The peer's count goes on from 255 at 0, and an older one is a packet that was overtaken`() {
        _ = epochs.update(reported: 255, isOneClock: false)
        #expect(epochs.update(reported: 0, isOneClock: false) == true)
        #expect(epochs.update(reported: 255, isOneClock: false) == false)
        #expect(epochs.update(reported: 0, isOneClock: false) == false)
        #expect(epochs.current == 1)
    }

    @Test mutating func `On one clock the step that the peer tells of is the one that was seen here`() {
        _ = epochs.update(reported: 3, isOneClock: true)
        epochs.follow(localSteps: 1)
        #expect(epochs.update(reported: 4, isOneClock: true) == false)
        #expect(epochs.current == 1)
        epochs.follow(localSteps: 3)
        #expect(epochs.update(reported: 6, isOneClock: true) == false)
        #expect(epochs.current == 2)
        #expect(epochs.update(reported: 7, isOneClock: true) == true, "one that was not seen here was another clock's")
        #expect(epochs.current == 3)
    }

    @Test mutating func `A peer that starts anew counts anew`() {
        _ = epochs.update(reported: 3, isOneClock: false)
        epochs.forgetPeer()
        #expect(epochs.update(reported: 0, isOneClock: false) == false)
        #expect(epochs.update(reported: 1, isOneClock: false) == true)
    }

    @Test mutating func `Rows count from where the measurement began, and as far as their column goes`() {
        epochs.follow(localSteps: 1)
        epochs.begin()
        #expect(epochs.label(epochs.current) == 0)
        for count in UInt32(2)...65_536 { epochs.follow(localSteps: count) }
        #expect(epochs.label(epochs.current) == 65_535)
        epochs.follow(localSteps: 65_537)
        #expect(epochs.label(epochs.current) == nil)
    }
}

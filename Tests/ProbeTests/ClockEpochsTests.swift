import Testing

@testable import probe

@Suite struct ClockEpochsTests {
    private var epochs = ClockEpochs()

    @Test mutating func `Each step begins a stretch, whoever's clock it was`() {
        #expect(epochs.learn(told: 200, isOneClock: false) == false, "what was before the session is no step of it")
        #expect(epochs.current == 0)
        epochs.follow(ownSteps: 1)
        #expect(epochs.current == 1 && epochs.ofPeer == 0)
        epochs.follow(ownSteps: 1)
        #expect(epochs.current == 1)
        #expect(epochs.learn(told: 201, isOneClock: false) == true)
        #expect(epochs.current == 2 && epochs.ofPeer == 2)
        #expect(epochs.learn(told: 201, isOneClock: false) == false)
        epochs.beginWithPeer()
        #expect(epochs.current == 3 && epochs.ofPeer == 3)
    }

    @Test func `Own steps before a session are none of it`() {
        var late = ClockEpochs(ownSteps: 7)
        late.follow(ownSteps: 7)
        #expect(late.current == 0)
        late.follow(ownSteps: 9)
        #expect(late.current == 1, "two steps that nothing came between are one")
    }

    @Test mutating func `The peer's count goes on from 255 at 0, and an older one is a packet that was overtaken`() {
        _ = epochs.learn(told: 255, isOneClock: false)
        #expect(epochs.learn(told: 0, isOneClock: false) == true)
        #expect(epochs.learn(told: 255, isOneClock: false) == false)
        #expect(epochs.learn(told: 0, isOneClock: false) == false)
        #expect(epochs.current == 1)
    }

    @Test mutating func `On one clock the step that the peer tells of is the one that was seen here`() {
        _ = epochs.learn(told: 3, isOneClock: true)
        epochs.follow(ownSteps: 1)
        #expect(epochs.learn(told: 4, isOneClock: true) == false)
        #expect(epochs.current == 1)
        epochs.follow(ownSteps: 3)
        #expect(epochs.learn(told: 6, isOneClock: true) == false)
        #expect(epochs.current == 2)
        #expect(epochs.learn(told: 7, isOneClock: true) == true, "one that was not seen here was another clock's")
        #expect(epochs.current == 3)
    }

    @Test mutating func `A peer that starts anew counts anew`() {
        _ = epochs.learn(told: 3, isOneClock: false)
        epochs.forgetPeer()
        #expect(epochs.learn(told: 0, isOneClock: false) == false)
        #expect(epochs.learn(told: 1, isOneClock: false) == true)
    }

    @Test mutating func `Rows count from where the measurement began, and as far as their column goes`() {
        epochs.follow(ownSteps: 1)
        epochs.begin()
        #expect(epochs.label(epochs.current) == 0)
        for count in UInt32(2)...65_536 { epochs.follow(ownSteps: count) }
        #expect(epochs.label(epochs.current) == 65_535)
        epochs.follow(ownSteps: 65_537)
        #expect(epochs.label(epochs.current) == nil)
    }
}

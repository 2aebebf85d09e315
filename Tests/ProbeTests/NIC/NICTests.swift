import FastAFPacket
import LinuxKernel
import Testing

@testable import probe

@Suite struct CardTests {
    private func loopback(_ choice: StampChoice = .auto) throws -> Card { try Card(Interface(named: "lo"), choice) }

    @Test func `an interface without a clock is one without facts, and nothing is converted`() async throws {
        let card = try loopback()
        await card.begin()
        #expect(card.look() == nil)
        #expect(card.clock == nil)
        #expect(card.clockFailure == nil)
        #expect(card.wireIndex == nil)
        #expect(card.facts == nil)
    }

    /// `#expect` can't change what it looks at.
    private func takes(_ turn: inout CardTurn, at time: Int64, patience: Int64 = .max) -> Bool {
        turn.take(time, patience: patience)
    }

    private func busy() throws -> Card {
        let card = try loopback()
        card.missed.update(DriverStatistics(counters: [.init(name: "tx_hwtstamp_skipped", value: 1)]))
        return card
    }

    @Test func `nobody waits at a card that was never met busy`() throws {
        let card = try loopback()
        var sender = CardTurn(card)
        var reflector = CardTurn(card)
        for time in 1...3 as ClosedRange<Int64> {
            #expect(takes(&sender, at: time))
            #expect(takes(&reflector, at: time))
        }
    }

    @Test func `at a busy card one has the turn until its stamp has come`() throws {
        let card = try busy()
        var sender = CardTurn(card)
        var reflector = CardTurn(card)
        #expect(takes(&sender, at: 1_000_000_000))
        #expect(!takes(&reflector, at: 1_000_900_000))
        #expect(!takes(&sender, at: 1_000_900_000))
        sender.giveBack()
        #expect(takes(&reflector, at: 1_000_900_001))
        // It is not the sender's to give.
        sender.giveBack()
        #expect(!takes(&sender, at: 1_000_900_002))
    }

    @Test(arguments: [(Int64.max, Int64(5_000_000)), (900_000, 900_000), (1, 1)])
    func `a stamp that does not come holds up the others for a moment only`(patience: Int64, wait: Int64) throws {
        let card = try busy()
        var sender = CardTurn(card)
        var reflector = CardTurn(card)
        #expect(takes(&sender, at: 1_000_000_000, patience: patience))
        #expect(!takes(&reflector, at: 1_000_000_000 + wait - 1, patience: patience))
        #expect(takes(&reflector, at: 1_000_000_000 + wait, patience: patience))
        // The late stamp of the one before does not end the turn of the one after.
        sender.giveBack()
        #expect(!takes(&sender, at: 1_000_000_001 + wait))
    }
}

import FastAFPacket
import LinuxKernel
import Testing

@testable import probe

@Suite struct CardTests {
    private func loopback(_ choice: StampChoice = .auto) throws -> NIC { try NIC(Interface(named: "lo"), choice) }

    @Test func `an interface without a clock is one without facts, and nothing is converted`() async throws {
        let nic = try loopback()
        await nic.begin()
        #expect(nic.read() == nil)
        #expect(nic.clock == nil)
        #expect(nic.clockFailure == nil)
        #expect(nic.wireIndex == nil)
        #expect(nic.facts == nil)
    }

    /// `#expect` can't change what it looks at.
    private func takes(_ turn: inout TransmitTurn, at time: Int64, timeout: Int64 = .max) -> Bool {
        turn.acquire(time, timeout: timeout)
    }

    private func busy() throws -> NIC {
        let nic = try loopback()
        nic.missed.update(DriverStatistics(counters: [.init(name: "tx_hwtstamp_skipped", value: 1)]))
        return nic
    }

    @Test func `nobody waits at a nic that was never met busy`() throws {
        let nic = try loopback()
        var sender = TransmitTurn(nic)
        var reflector = TransmitTurn(nic)
        for time in 1...3 as ClosedRange<Int64> {
            #expect(takes(&sender, at: time))
            #expect(takes(&reflector, at: time))
        }
    }

    @Test func `at a busy nic one has the turn until its stamp has come`() throws {
        let nic = try busy()
        var sender = TransmitTurn(nic)
        var reflector = TransmitTurn(nic)
        #expect(takes(&sender, at: 1_000_000_000))
        #expect(!takes(&reflector, at: 1_000_900_000))
        #expect(!takes(&sender, at: 1_000_900_000))
        sender.release()
        #expect(takes(&reflector, at: 1_000_900_001))
        // It is not the sender's to give.
        sender.release()
        #expect(!takes(&sender, at: 1_000_900_002))
    }

    @Test(arguments: [(Int64.max, Int64(5_000_000)), (900_000, 900_000), (1, 1)])
    func `a stamp that does not come holds up the others for a moment only`(timeout: Int64, wait: Int64) throws {
        let nic = try busy()
        var sender = TransmitTurn(nic)
        var reflector = TransmitTurn(nic)
        #expect(takes(&sender, at: 1_000_000_000, timeout: timeout))
        #expect(!takes(&reflector, at: 1_000_000_000 + wait - 1, timeout: timeout))
        #expect(takes(&reflector, at: 1_000_000_000 + wait, timeout: timeout))
        // The late timestamp of the one before does not end the turn of the one after.
        sender.release()
        #expect(!takes(&sender, at: 1_000_000_001 + wait))
    }
}

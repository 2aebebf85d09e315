import FastAFPacket
import LinuxKernel
import STAMPSession
import Testing

@testable import probe

@Suite struct NICTests {
    private func loopback(_ choice: StampChoice = .auto) throws -> NIC { try NIC(Interface(named: "lo"), choice) }

    @Test func `An interface without a PHC has no facts and no clock`() async throws {
        let nic = try loopback()
        await nic.begin()
        #expect(nic.read() == nil)
        #expect(nic.clock == nil)
        #expect(nic.clockFailure == nil)
        #expect(nic.wireIndex == nil)
        #expect(nic.facts == nil)
    }

    /// Acquires a turn; `#expect` cannot call a mutating function.
    private func acquires(
        _ turn: inout TransmitTurn, _ role: SessionRole, at time: Int64, timeout: Int64 = .max
    ) -> Bool {
        turn.acquire(role, time, timeout: timeout)
    }

    private func busy() throws -> NIC {
        let nic = try loopback()
        nic.missed.update(DriverStatistics(counters: [.init(name: "tx_hwtstamp_skipped", value: 1)]))
        return nic
    }

    @Test func `At a NIC that was never busy both roles acquire their turns at once`() throws {
        let nic = try loopback()
        var turn = TransmitTurn(nic.missed)
        for time in 1...3 as ClosedRange<Int64> {
            #expect(acquires(&turn, .sender, at: time))
            #expect(acquires(&turn, .reflector, at: time))
        }
    }

    @Test func `At a busy NIC one role has the turn until it releases it`() throws {
        let nic = try busy()
        var turn = TransmitTurn(nic.missed)
        #expect(acquires(&turn, .sender, at: 1_000_000_000))
        #expect(!acquires(&turn, .reflector, at: 1_000_900_000))
        #expect(!acquires(&turn, .sender, at: 1_000_900_000))
        turn.release(.sender)
        #expect(acquires(&turn, .reflector, at: 1_000_900_001))
        // The sender cannot release the reflector's turn.
        turn.release(.sender)
        #expect(!acquires(&turn, .sender, at: 1_000_900_002))
    }

    @Test(arguments: [(Int64.max, Int64(5_000_000)), (900_000, 900_000), (1, 1)])
    func `A turn whose timestamp never arrives expires`(timeout: Int64, wait: Int64) throws {
        let nic = try busy()
        var turn = TransmitTurn(nic.missed)
        #expect(acquires(&turn, .sender, at: 1_000_000_000, timeout: timeout))
        #expect(!acquires(&turn, .reflector, at: 1_000_000_000 + wait - 1, timeout: timeout))
        #expect(acquires(&turn, .reflector, at: 1_000_000_000 + wait, timeout: timeout))
        // The sender's late timestamp does not end the reflector's turn.
        turn.release(.sender)
        #expect(!acquires(&turn, .sender, at: 1_000_000_001 + wait))
    }
}

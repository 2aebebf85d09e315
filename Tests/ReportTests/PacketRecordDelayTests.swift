import Testing

@testable import Report

@Suite struct PacketRecordDelayTests {
    private func record(
        app: Int64? = nil, software: Int64? = nil, hardware: Int64? = nil, receiveApp: Int64? = nil,
        receiveSoftware: Int64? = nil, receiveHardware: Int64? = nil
    ) -> PacketRecord {
        PacketRecord(
            session: 1, packet: .probe, sequence: 1, direction: .out, transmitApp: app, transmitSoftware: software,
            transmitHardware: hardware, receiveHardware: receiveHardware, receiveSoftware: receiveSoftware,
            receiveApp: receiveApp)
    }

    @Test func `Kernel timestamps at both ends give a software delay`() {
        var row = record(app: 100, software: 110, receiveApp: 300, receiveSoftware: 250)
        row.computeDelay(error: 7)
        #expect(row.delay == 140)
        #expect(row.delayClock == .software)
        #expect(row.delayError == 7)
        #expect(row.transmitStamp == .software)
        #expect(row.receiveStamp == .software)
    }

    @Test func `An application timestamp at either end gives an app delay`() {
        var sender = record(app: 100, receiveApp: 300, receiveSoftware: 250)
        sender.computeDelay(error: nil)
        #expect(sender.delay == 150)
        #expect(sender.delayClock == .app)
        #expect(sender.transmitStamp == .app)
        #expect(sender.receiveStamp == .software)
        var receiver = record(app: 100, software: 110, receiveApp: 300)
        receiver.computeDelay(error: nil)
        #expect(receiver.delay == 190)
        #expect(receiver.delayClock == .app)
    }

    @Test func `Hardware timestamps give a delay only if it is requested, with the bounds of all clocks`() {
        var row = record(software: 110, hardware: 5000, receiveSoftware: 250, receiveHardware: 9000)
        row.transmitHardwareRealtime = 120
        row.transmitHardwareError = 2
        row.receiveHardwareRealtime = 140
        row.receiveHardwareError = 4
        row.computeDelay(error: 3)
        #expect(row.delay == 140)
        #expect(row.delayClock == .software)
        #expect(row.delayError == 3)
        #expect(row.transmitStamp == .hardware)
        #expect(row.receiveStamp == .hardware)
        row.computeDelay(error: 3, usingHardware: true)
        #expect(row.delay == 20)
        #expect(row.delayClock == .hardware)
        #expect(row.delayError == 9)
        row.computeDelay(error: nil, usingHardware: true)
        #expect(row.delay == 20)
        #expect(row.delayError == nil)
        row.computeDelay(error: .max, usingHardware: true)
        #expect(row.delayError == nil)
    }

    @Test func `A hardware timestamp that is not converted, or is the only one, gives no delay`() {
        var row = record(software: 110, hardware: 5000, receiveSoftware: 250, receiveHardware: 5020)
        row.computeDelay(error: 3, usingHardware: true)
        #expect(row.delay == nil)
        #expect(row.delayClock == nil)
        row.transmitHardwareRealtime = 120
        row.transmitHardwareError = 1
        row.computeDelay(error: 3, usingHardware: true)
        #expect(row.delay == nil)
        #expect(row.delayError == nil)
        #expect(row.transmitStamp == .hardware)
    }

    @Test func `A negative delay stays negative`() {
        var row = record(software: 250, receiveSoftware: 110)
        row.computeDelay(error: nil)
        #expect(row.delay == -140)
        #expect(row.delayError == nil)
    }

    @Test func `Without a timestamp at one end there is no delay and no error`() {
        var row = record(app: 100)
        row.delay = 5
        row.delayError = 5
        row.delayClock = .app
        row.receiveStamp = .app
        row.computeDelay(error: 9)
        #expect(row.delay == nil)
        #expect(row.delayError == nil)
        #expect(row.delayClock == nil)
        #expect(row.receiveStamp == nil)
        #expect(row.transmitStamp == .app)
    }

    @Test func `The delay starts at the scheduler's timestamp if there is no driver timestamp`() {
        var row = PacketRecord(
            session: 1, packet: .probe, sequence: 1, direction: .out, transmitSched: 5, receiveSoftware: 9)
        row.computeDelay(error: 3)
        #expect(row.delay == 4 && row.delayError == 3)
        #expect(row.delayClock == .software && row.delayBasis == .schedToKernel)
        #expect(row.transmitStamp == nil)
    }

    @Test func `Timestamps whose difference exceeds Int64 give no delay`() {
        var row = record(software: .min, receiveSoftware: .max)
        row.computeDelay(error: 1)
        #expect(row.delay == nil)
        #expect(row.delayError == nil)
        row = record(software: .max, receiveSoftware: .min)
        row.computeDelay(error: 1)
        #expect(row.delay == nil)
        row = record(software: .min, receiveSoftware: -1)
        row.computeDelay(error: 1)
        #expect(row.delay == .max)
    }
}

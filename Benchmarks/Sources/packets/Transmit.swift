import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses

/// The number of sends that may wait for timestamps; at most a batch does.
private let bookSize = 1 << 12
/// The timeout for a timestamp, in nanoseconds.
private let timeout: Int64 = 1_000_000_000

/// Sends batches, and reads a driver transmit timestamp of every packet before it sends the next batch.
func transmit(_ options: Options) throws(SystemError) {
    let interface = try Interface(named: options.interface)
    var configuration = PacketConn.Configuration()
    configuration.transmitStamps = .software
    configuration.receiveStamps = false
    let connection = try PacketConn.listen(on: interface, etherType: testEtherType, configuration: configuration)
    let frame = frame(from: interface.macAddress, to: options.peer, bytes: options.frameBytes)

    var batch = SendBatch(capacity: batchSize, packetBytes: options.frameBytes)
    var stamps = StampBatch(capacity: batchSize)
    var ledger = TransmitLedger(capacity: bookSize, expecting: connection.transmitStamps)
    var id: UInt32 = 0
    var sum: UInt64 = 0
    var measurement = Measurement(options)
    while measurement.continues(after: ledger.account.software[.stamped]) {
        batch.removeAll()
        for index in 0..<batchSize {
            batch.append(id: id &+ UInt32(index)) { span in
                span.withUnsafeMutableBytes { $0.copyBytes(from: frame) }
                return frame.count
            }
        }
        var done = 0
        while done < batch.count { done += try connection.send(&batch, from: done) }
        let now = ClockID.monotonic.now()
        for index in 0..<batchSize { ledger.recordSend(id: id &+ UInt32(index), at: now) }
        id &+= UInt32(batchSize)
        while ledger.account.software[.pending] > 0 {
            if try connection.receiveTransmitStampsNow(&stamps) == 0, try !waitForStamps(connection, &stamps) {
                ledger.expire(sentBefore: .max) { _, _, _ in }
            }
            if stamps.foundQueueFull { ledger.recordFullQueue() }
            stamps.forEach { stamp in
                sum &+= UInt64(stamp.stamps.software ?? 0)
                _ = ledger.recordStamp(stamp)
            }
        }
        if ledger.account.software[.stamped] < ledger.account.sent { break }  // the results say so
    }
    report(ledger.account, measurement, sum)
}

/// Waits for timestamps. Returns false if none arrives for ``timeout``.
private func waitForStamps(_ connection: PacketConn, _ stamps: inout StampBatch) throws(SystemError) -> Bool {
    connection.setReadDeadline(monotonic: ClockID.monotonic.now() + timeout)
    do throws(SystemError) {
        try connection.receiveTransmitStamps(&stamps)
        return true
    } catch  where error.code == ETIMEDOUT {
        return false
    }
}

private func frame(from source: MACAddress, to destination: MACAddress, bytes: Int) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: bytes)
    for index in 0..<6 {
        frame[index] = destination.octet(index)
        frame[6 + index] = source.octet(index)
    }
    frame[12] = UInt8(testEtherType >> 8)
    frame[13] = UInt8(truncatingIfNeeded: testEtherType)
    return frame
}

private func report(_ account: TransmitAccount, _ measurement: Measurement, _ sum: UInt64) {
    measurement.report(
        sum: sum,
        [
            "drops": 0, "sent": account.sent, "stamped": account.software[.stamped], "late": account.software[.late],
            "lost_in_buffer": account.software[.lostInBuffer],
            "skipped_by_driver": account.software[.skippedByDriver], "unsupported": account.software[.unsupported],
            "pending": account.software[.pending], "unknown_stamps": account.unknownStamps,
            "balanced": account.isBalanced ? 1 : 0,
        ])
}

import FastAFPacket
import Glibc
import LinuxKernel

/// IEEE 802 local experimental 1, which the kernel neither sends nor receives.
let testEtherType: UInt16 = 0x88B5
let batchSize = 64
private let slotBytes = 2048
/// The time that a reader that has emptied its queue lets it fill again: see packets-receive.c.
private let pauseWhenEmpty = timespec(tv_sec: 0, tv_nsec: 1_000_000)

private func openReceiver(_ options: Options) throws(SystemError) -> PacketConn {
    try PacketConn.listen(on: Interface(named: options.interface), etherType: testEtherType)
}

/// Receives by recvmmsg and reads each packet's length, timestamp, packet type and VLAN tag.
func receive(_ options: Options) throws(SystemError) {
    let connection = try openReceiver(options)
    var batch = ReceiveBatch(capacity: batchSize, packetBytes: slotBytes)
    var packets = 0
    var sum: UInt64 = 0
    var unstamped = 0
    var batches = 0
    var measurement = Measurement(options)
    while measurement.continues(after: packets) {
        let count = try connection.receiveNow(&batch)
        batch.forEach { _, packet in
            let stamp = packet.stamps.software ?? 0
            let type = packet.link?.packetType ?? .host
            sum &+= UInt64(packet.length) &+ UInt64(stamp) &+ UInt64(type.rawValue) &+ UInt64(packet.vlanTag ?? 0)
            if stamp == 0 { unstamped += 1 }
        }
        packets += count
        batches += 1
        if count < batchSize {
            var pause = pauseWhenEmpty
            nanosleep(&pause, nil)
        }
    }
    let drops = try connection.statistics().drops
    measurement.report(sum: sum, ["drops": Int(drops), "unstamped": unstamped, "batches": batches])
}

/// Receives, waiting or spinning, and measures the time from each packet's kernel timestamp until it is read.
func measureLatency(_ options: Options) throws(SystemError) {
    let connection = try openReceiver(options)
    var batch = ReceiveBatch(capacity: batchSize, packetBytes: slotBytes)
    var latencies = [Int64](repeating: 1, count: options.packets)
    var measured = 0
    var packets = 0
    var sum: UInt64 = 0
    var unstamped = 0
    var measurement = Measurement(options)
    while measurement.continues(after: packets) {
        let count = options.spins ? try connection.receiveNow(&batch) : try connection.receive(&batch)
        let isRunning = measurement.isRunning
        batch.forEach { _, packet in
            sum &+= UInt64(packet.length)
            guard let stamp = packet.stamps.software else {
                unstamped += 1
                return
            }
            let latency = ClockID.realtime.now() &- stamp
            if isRunning, measured < latencies.count {
                latencies[measured] = latency
                measured += 1
            }
        }
        packets += count
    }
    let drops = try connection.statistics().drops
    latencies.withUnsafeMutableBufferPointer { sort($0[..<measured]) }
    let (p50, p99, p999) = (measured / 2, measured * 99 / 100, measured * 999 / 1000)
    measurement.report(
        sum: sum,
        [
            "drops": Int(drops), "unstamped": unstamped, "p50_ns": Int(latencies[p50]), "p99_ns": Int(latencies[p99]),
            "p99_9_ns": Int(latencies[p999]),
        ])
}

/// Sorts with the C library, whose allocations are the same for any number of packets: see scripts/bench.
private func sort(_ values: Slice<UnsafeMutableBufferPointer<Int64>>) {
    guard let start = UnsafeMutableBufferPointer(rebasing: values).baseAddress else { return }
    qsort(start, values.count, MemoryLayout<Int64>.size) {
        guard let left = $0?.load(as: Int64.self), let right = $1?.load(as: Int64.self) else { return 0 }
        return left < right ? -1 : left > right ? 1 : 0
    }
}

import LinuxKernel
import Report
import Testing

@testable import probe

@Suite struct SampleJoinTests {
    private let ring = SPSCRing<PendingSample>(capacity: 1024)
    private let start: Int64 = 1_795_256_040_000_000_000
    /// The time that a row waits for its sample.
    private let timeout = SampleJoin.timeout

    private func join(timeout: Int64 = 2_000_000_000) -> SampleJoin {
        SampleJoin(group: 5, ring: ring, localPort: 50_000, timeout: timeout)
    }

    private func sample(
        _ packet: PacketKind, _ sequence: UInt32, at offset: Int64, local: Bool = true, port: UInt16 = 50_000
    ) -> PendingSample {
        PendingSample(
            packet: packet, sequence: sequence, isLocalSession: local, senderPort: port, time: start + offset,
            latency: 77,
            probability: 1)
    }

    /// A row that was sent at 0, scheduled at 10, passed to the driver at 100 and received at 200.
    private func row(
        _ packet: PacketKind, _ sequence: UInt32, at: Int64 = 0, local: Bool = true, port: UInt16 = 50_000
    ) -> SampleJoin.Row {
        let isOut = (packet == .probe) == local
        var record = PacketRecord(session: 1, packet: packet, sequence: sequence, direction: isOut ? .out : .in)
        record.replySequence = sequence
        record.peerPort = local ? nil : port
        record.transmitApp = start
        record.transmitSched = start + 10
        record.transmitSoftware = start + 100
        record.receiveSoftware = start + 200
        record.receiveApp = start + 300
        return SampleJoin.Row(record: record, lateness: nil, source: local ? .local(0) : .reflected, at: at)
    }

    private func next(
        _ join: inout SampleJoin, _ now: Int64, isLast: Bool
    ) throws -> (row: SampleJoin.Row, violation: SampleViolation?) {
        let next = join.release(now, isLast: isLast)
        return try #require(next)
    }

    private func isReleased(_ join: inout SampleJoin, _ now: Int64) -> Bool {
        join.release(now, isLast: false) != nil
    }

    @Test func `A sample matches its row, whichever arrives first`() throws {
        for sampleFirst in [true, false] {
            var join = join()
            if sampleFirst { #expect(ring.push(sample(.probe, 7, at: 50))) }
            join.receiveSamples(0)
            join.add(row(.probe, 7, at: 0))
            #expect(!isReleased(&join, timeout - 1))
            if !sampleFirst { #expect(ring.push(sample(.probe, 7, at: 50))) }
            join.receiveSamples(timeout)
            let (row, violation) = try next(&join, timeout, isLast: false)
            #expect(row.record.sample == start + 50)
            #expect(row.record.sampleLatency == 77)
            #expect(row.record.sampleOrder == .kept)
            #expect(violation == nil)
            #expect(!isReleased(&join, timeout))
            let statistics = join.close()
            #expect(statistics.withoutRow == 0)
        }
    }

    @Test func `Samples match by session, packet kind and sequence number`() throws {
        var join = join()
        for (packet, local, offset) in [
            (PacketKind.probe, true, 50), (.reply, true, 250), (.probe, false, 251), (.reply, false, 51),
        ] as [(PacketKind, Bool, Int64)] {
            #expect(ring.push(sample(packet, 7, at: offset, local: local)))
            join.add(row(packet, 7, local: local))
        }
        join.add(row(.probe, 8))
        join.receiveSamples(0)
        var found: [Int64?] = []
        while let (row, violation) = join.release(timeout, isLast: false) {
            found.append(row.record.sample.map { $0 - start })
            #expect(violation == nil)
        }
        #expect(found == [50, 250, 251, 51, nil])
        #expect(join.statistics.egress.packets == 3)
        #expect(join.statistics.egress.sampled == 2)
        #expect(join.statistics.ingress.sampled == 2)
    }

    @Test func `A row without a sample is released after its timeout, or at the end`() throws {
        var join = join()
        join.add(row(.probe, 1, at: 0))
        join.add(row(.probe, 2, at: 5))
        let (first, _) = try next(&join, timeout, isLast: false)
        #expect(first.record.sequence == 1)
        #expect(first.record.sample == nil)
        #expect(first.record.sampleOrder == nil)
        #expect(!isReleased(&join, timeout))
        #expect(try next(&join, timeout, isLast: true).row.record.sequence == 2)
    }

    @Test func `A sample that arrives after its row was released is counted as unmatched`() throws {
        var join = join()
        join.add(row(.probe, 1, at: 0))
        _ = try next(&join, timeout, isLast: false)
        #expect(ring.push(sample(.probe, 1, at: 50)))
        join.receiveSamples(timeout)
        let statistics = join.close()
        #expect(statistics.withoutRow == 1)
        #expect(statistics.egress.sampled == 0)
    }

    @Test func `Samples without a row are discarded after their lifetime`() {
        var join = join(timeout: 1_000_000_000)
        #expect(ring.push(sample(.probe, 1, at: 50)))
        join.receiveSamples(0)
        join.receiveSamples(6_000_000_000)
        #expect(join.statistics.withoutRow == 0)
        join.receiveSamples(6_000_000_001)
        #expect(join.statistics.withoutRow == 1)
        let statistics = join.close()
        #expect(statistics.withoutRow == 1)
    }

    @Test func `The number of waiting samples is bounded, and the oldest are discarded`() {
        var join = join()
        for sequence in 0..<UInt32(SampleJoin.sampleLimit) + 10 {
            #expect(ring.push(sample(.probe, sequence, at: 50)))
            if sequence % 1000 == 0 { join.receiveSamples(0) }
        }
        join.receiveSamples(0)
        #expect(join.statistics.withoutRow == 10)
    }

    @Test func `A repeated sample does not replace the first, and a duplicate has no sample`() throws {
        var join = join()
        #expect(ring.push(sample(.reply, 1, at: 250)))
        #expect(ring.push(sample(.reply, 1, at: 900)))
        join.receiveSamples(0)
        join.add(row(.reply, 1))
        var copy = row(.reply, 1)
        copy.record.status = .duplicate
        join.add(copy)
        #expect(try next(&join, timeout, isLast: false).row.record.sample == start + 250)
        #expect(try next(&join, timeout, isLast: false).row.record.sample == nil)
        #expect(join.statistics.repeated == 1)
        #expect(join.statistics.ingress.packets == 1)
    }

    @Test func `Samples of two sessions from one peer match by the sender's port`() throws {
        var join = join()
        for port in [UInt16(50_001), 50_002] {
            #expect(ring.push(sample(.probe, 1, at: Int64(port) - 49_751, local: false, port: port)))
        }
        join.receiveSamples(0)
        for port in [UInt16(50_002), 50_001] { join.add(row(.probe, 1, local: false, port: port)) }
        #expect(try next(&join, timeout, isLast: false).row.record.sample == start + 251)
        #expect(try next(&join, timeout, isLast: false).row.record.sample == start + 250)
        #expect(join.statistics.repeated == 0 && join.statistics.violated == 0)
    }

    @Test func `Samples of two replies to one probe match by the reflector's sequence number`() throws {
        var join = join()
        #expect(ring.push(sample(.reply, 8, at: 50, local: false)))
        #expect(ring.push(sample(.reply, 9, at: 60, local: false)))
        join.receiveSamples(0)
        for number: UInt32 in [9, 8] {
            var reply = row(.reply, 3, local: false)
            reply.record.replySequence = number
            join.add(reply)
        }
        #expect(try next(&join, timeout, isLast: false).row.record.sample == start + 60)
        #expect(try next(&join, timeout, isLast: false).row.record.sample == start + 50)
        // Without a sequence number a row matches no sample.
        #expect(ring.push(sample(.reply, 3, at: 70, local: false)))
        join.receiveSamples(0)
        var nameless = row(.reply, 3, local: false)
        nameless.record.replySequence = nil
        join.add(nameless)
        #expect(try next(&join, timeout, isLast: true).row.record.sample == nil)
    }

    @Test func `A lost packet that was sampled on receipt is counted separately`() throws {
        var join = join()
        #expect(ring.push(sample(.reply, 3, at: 250)))
        join.receiveSamples(0)
        var lost = row(.reply, 3)
        lost.record.status = .lost
        (lost.record.receiveSoftware, lost.record.receiveApp) = (nil, nil)
        join.add(lost)
        #expect(try next(&join, timeout, isLast: true).row.record.sample == start + 250)
        let statistics = join.close()
        #expect(statistics.sampledLost == 1 && statistics.ingress.packets == 0 && statistics.withoutRow == 0)
    }

    @Test func `A sequence number that returns much later belongs to the peer's next session`() throws {
        var join = join()
        #expect(ring.push(sample(.probe, 1, at: 250, local: false)))
        join.receiveSamples(0)
        #expect(ring.push(sample(.probe, 1, at: 260, local: false)))
        join.receiveSamples(1_000_000_001)
        join.add(row(.probe, 1, local: false))
        #expect(try next(&join, timeout, isLast: true).row.record.sample == start + 260)
        #expect(join.statistics.withoutRow == 1)
    }

    @Test(arguments: [(PacketKind.probe, 9), (.probe, 101), (.reply, 199)] as [(PacketKind, Int64)])
    func `A sample out of order is a violation`(packet: PacketKind, offset: Int64) throws {
        var join = join()
        #expect(ring.push(sample(packet, 1, at: offset)))
        join.receiveSamples(0)
        join.add(row(packet, 1))
        let (row, violation) = try next(&join, timeout, isLast: false)
        #expect(row.record.sampleOrder == .violated)
        #expect(violation != nil)
        #expect(join.statistics.violated == 1)
        #expect(join.statistics.violations.count == 1)
    }

    /// The order of a sample 1000 ns after the driver's timestamp, with a clock step of this amount.
    private func order(stepBy amount: Int64, noticed: Int64) throws -> SampleOrder? {
        var join = join()
        #expect(ring.push(sample(.probe, 1, at: 1100)))
        join.receiveSamples(0)
        join.record(stepBy: amount, error: 20, noticed: start + noticed)
        join.add(row(.probe, 1))
        let (row, violation) = try next(&join, timeout, isLast: false)
        #expect((violation == nil) == (row.record.sampleOrder != .violated))
        return row.record.sampleOrder
    }

    @Test func `A backward clock step explains a violation that is not larger and close in time`() throws {
        #expect(try order(stepBy: -1_000_000, noticed: 5000) == .clockSet)
        #expect(try order(stepBy: -980, noticed: 5000) == .clockSet)
        // A step that is too small, at another time, or forward.
        #expect(try order(stepBy: -979, noticed: 5000) == .violated)
        #expect(try order(stepBy: -1_000_000, noticed: 3_000_000_000) == .violated)
        #expect(try order(stepBy: -1_000_000, noticed: -3_000_000_000) == .violated)
        #expect(try order(stepBy: 1_000_000, noticed: 5000) == .violated)
    }

    @Test func `Rows beyond the limit are released at once`() {
        var join = join()
        for sequence in 0...UInt32(SampleJoin.rowLimit) { join.add(row(.probe, sequence)) }
        #expect(isReleased(&join, 0))
        #expect(!isReleased(&join, 0))
    }
}

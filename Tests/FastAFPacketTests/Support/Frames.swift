import FastAFPacket
import LinuxKernel
import NetworkAddresses

/// The ethertype of the tests' frames (IEEE 802 local experimental 1), which the kernel does not send.
let testEtherType: UInt16 = 0x88B5

/// An Ethernet frame from one side to the other, with `number` in the first four bytes of its payload.
func frame(
    _ number: UInt32 = 0, from side: VethPair.Side = .left, etherType: UInt16 = testEtherType, payload: Int = 46
) -> [UInt8] {
    let (destination, source): (UInt8, UInt8) = side == .left ? (2, 1) : (1, 2)
    var bytes: [UInt8] = [2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source]
    bytes += [UInt8(etherType >> 8), UInt8(truncatingIfNeeded: etherType)]
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
    return bytes + [UInt8](repeating: 0, count: max(0, payload - 4))
}

/// A UDP datagram over IPv4 from left to right, with source port `port` and destination port 7000. Its checksum field
/// covers only the addresses; the rest is left to the NIC.
func udpFrame(port: UInt16 = 7000, payload: [UInt8]) -> [UInt8] {
    let length = UInt16(8 + payload.count)
    var ip: [UInt8] = [
        0x45, 0, UInt8((length + 20) >> 8), UInt8(truncatingIfNeeded: length + 20), 0, 0, 0, 0, 64, 17,
    ]
    ip += [0, 0, 10, 9, 8, 1, 10, 9, 8, 2]
    let header = internetSum(ip)
    (ip[10], ip[11]) = (UInt8(~header >> 8 & 0xFF), UInt8(~header & 0xFF))
    let pseudo = internetSum(Array(ip[12...]) + [0, 17, UInt8(length >> 8), UInt8(truncatingIfNeeded: length)])
    let udp: [UInt8] = [
        UInt8(port >> 8), UInt8(truncatingIfNeeded: port), 0x1B, 0x58, UInt8(length >> 8),
        UInt8(truncatingIfNeeded: length), UInt8(pseudo >> 8),
        UInt8(pseudo & 0xFF),
    ]
    return Array(frame(etherType: 0x0800)[..<14]) + ip + udp + payload
}

func internetSum(_ bytes: [UInt8]) -> UInt32 {
    var sum = stride(from: 0, to: bytes.count, by: 2).reduce(UInt32(0)) {
        $0 + UInt32(bytes[$1]) << 8 + UInt32(bytes[$1 + 1])
    }
    while sum > 0xFFFF { sum = sum >> 16 + sum & 0xFFFF }
    return sum
}

/// The number in a frame that ``frame(_:from:etherType:payload:)`` made.
func number(in bytes: RawSpan) -> UInt32 {
    bytes.byteCount < 18 ? .max : UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 14, as: UInt32.self))
}

/// The deadline `seconds` from now, CLOCK_MONOTONIC nanoseconds.
func soon(_ seconds: Double = 5) -> Int64 { ClockID.monotonic.now() + Int64(seconds * 1e9) }

extension PacketConn {
    /// Sends one frame for each id, all in one batch; each frame's number is its id.
    func sendFrames(
        _ ids: some Collection<UInt32>, from side: VethPair.Side = .left, etherType: UInt16 = testEtherType,
        payload: Int = 46
    ) throws(SystemError) {
        var batch = SendBatch(capacity: ids.count, packetBytes: 14 + payload)
        for id in ids {
            let bytes = frame(id, from: side, etherType: etherType, payload: payload)
            batch.append(id: id) { span in
                span.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
                return bytes.count
            }
        }
        var done = 0
        while done < batch.count { done += try send(&batch, from: done) }
    }

    /// The numbers of the frames that arrive, until there are `count` or none arrives for `seconds`.
    func receiveNumbers(_ count: Int, seconds: Double = 5) throws(SystemError) -> [UInt32] {
        var numbers: [UInt32] = []
        try receiveAll(count, seconds: seconds) { bytes, _ in numbers.append(number(in: bytes)) }
        return numbers
    }

    /// Calls `body` with every packet that arrives, until there are `count` or none arrives for `seconds`.
    func receiveAll(
        _ count: Int, seconds: Double = 5, _ body: (RawSpan, borrowing ReceivedPacket) -> Void
    ) throws(SystemError) {
        var batch = ReceiveBatch(capacity: 64, packetBytes: 2048)
        var received = 0
        while received < count {
            setReadDeadline(monotonic: soon(seconds))
            do throws(SystemError) {
                received += try receive(&batch)
            } catch  where error.code == 110 {
                return
            }
            batch.forEach(body)
        }
    }

    /// The transmit timestamps that arrive, until there are `count` or none arrives for `seconds`.
    func receiveStamps(_ count: Int, seconds: Double = 5) throws(SystemError) -> [TransmitStamp] {
        var batch = StampBatch(capacity: 64)
        var stamps: [TransmitStamp] = []
        while stamps.count < count {
            setReadDeadline(monotonic: soon(seconds))
            do throws(SystemError) {
                try receiveTransmitStamps(&batch)
            } catch  where error.code == 110 {
                return stamps
            }
            batch.forEach { stamps.append($0) }
        }
        return stamps
    }
}

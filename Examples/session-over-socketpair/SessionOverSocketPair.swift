import Glibc
import NetworkAddresses
import Report
import STAMPSession
import STAMPWire

/// Measures over a pair of Unix datagram sockets, as an example of a transport. Needs no privilege.
@main
struct SessionOverSocketPair {
    static func main() throws {
        var sockets: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &sockets) == 0 else {
            fatalError("cannot create a socket pair: errno \(errno)")
        }
        let layout = try ProbeLayout(size: nil, classOfService: false)
        // Equal boot hashes: both ends read one clock.
        let facts = HostIdentity(bootHash: 1)
        let address = IPAddress.v4(0x7F00_0001)
        var settings = SessionSender.Configuration(
            session: .random(in: 1 ... .max), ssid: 1, peer: .ip(address), peerPort: 862, layout: layout,
            frameBytes: layout.size, intervalNanoseconds: 100_000_000, timeoutNanoseconds: 1_000_000_000, host: facts)
        settings.count = 10
        var sender = SessionSender(settings, host: Printer(), at: now())
        var reflector = SessionReflector(
            .init(instance: .random(in: 1 ... .max), host: facts, port: 862), host: Printer(), at: now())
        let key = SessionKey(source: address, sourcePort: 50_000, destination: address, ssid: 1)

        while sender.phase != .over {
            wait(for: sockets, until: min(sender.deadline, reflector.deadline))
            while let probe = receive(from: sockets[1]) { answer(probe, from: key, by: &reflector, on: sockets[1]) }
            while let reply = receive(from: sockets[0]) { sender.receive(reply.span.bytes, arrival(reply), at: now()) }
            // No transmit timestamps are requested, so none are written off.
            sender.advance(to: now(), stampsBefore: .min)
            reflector.advance(to: now(), stampsBefore: .min)
            while sender.isProbeDue(at: now().monotonic) { sendProbe(of: &sender, layout.size, on: sockets[0]) }
        }
        let totals = sender.finish(at: now()).totals
        let losses = totals.sequence.lostForward + totals.sequence.lostReverse + totals.sequence.lostUnknown
        print("sent \(totals.sent), received \(totals.received), lost \(losses)")
        print("replies sent \(reflector.finish(at: now()).totals.sent), those to opening and closing probes included")
    }
}

func sendProbe(of sender: inout SessionSender, _ size: Int, on socket: Int32) {
    var packet = [UInt8](repeating: 0, count: size)
    var bytes = packet.mutableSpan
    var payload = bytes.mutableBytes
    guard let sequence = sender.writeProbe(into: &payload, at: now()) else { return }
    if let code = send(packet, on: socket) {
        sender.recordRefusal(sequence, code: code, at: now())
    } else {
        sender.recordSent(sequence, at: now().monotonic)
    }
}

func answer(_ probe: [UInt8], from key: SessionKey, by reflector: inout SessionReflector, on socket: Int32) {
    // A reply is as long as its probe, and has at least a base packet.
    let size = max(probe.count, STAMP.baseLength)
    var packet = [UInt8](repeating: 0, count: size)
    var bytes = packet.mutableSpan
    var payload = bytes.mutableBytes
    guard
        let answer = reflector.answer(
            probe.span.bytes, from: key, arrival(probe), into: &payload, replyBytes: size, at: now())
    else { return }
    if let code = send(packet, on: socket) {
        reflector.recordRefusal(answer, code: code, at: now())
    } else {
        reflector.recordSent(answer)
    }
}

/// Prints each row when it is complete. Rows of a pair of packets have the same number.
final class Printer: SessionHost {
    func record(_ row: PacketRecord, lateness: Int64?) {
        print(row.packet.text, row.sequence, row.status.text, row.delay.map { "\($0) ns" } ?? "no delay")
    }
}

// The transport and the clocks.

func now() -> HostTime {
    func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
    return HostTime(
        monotonic: read(CLOCK_MONOTONIC), realtime: read(CLOCK_REALTIME),
        errorEstimate: ErrorEstimate(synchronized: false, isPTP: false, errorNanoseconds: 0))
}

/// The arrival of a packet, by the clock now. A transport with the timestamps of kernel or NIC passes those too.
func arrival(_ packet: [UInt8]) -> Arrival {
    Arrival(times: ReceiveTimes(app: now().realtime), bytes: Int32(packet.count))
}

func wait(for sockets: [Int32], until deadline: Int64) {
    var polled = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let left = max(0, deadline - now().monotonic)
    poll(&polled, nfds_t(polled.count), Int32(clamping: (left + 999_999) / 1_000_000))
}

/// Receives the next datagram; nil if none is left.
func receive(from socket: Int32) -> [UInt8]? {
    var packet = [UInt8](repeating: 0, count: 2048)
    let count = recv(socket, &packet, packet.count, Int32(MSG_DONTWAIT))
    return count < 0 ? nil : Array(packet.prefix(count))
}

/// Sends a datagram.
///
/// - Returns: nil, or the errno if the kernel refuses it.
func send(_ packet: [UInt8], on socket: Int32) -> Int32? {
    Glibc.send(socket, packet, packet.count, Int32(MSG_DONTWAIT)) < 0 ? errno : nil
}

import Foundation
import Testing

/// Third-party implementations that the tests run as separate processes. `scripts/test` installs them.
enum Interop {
    /// Debian's Python, which finds the package python3-scapy.
    static let python = "/usr/bin/python3"
    static let hasPython = FileManager.default.isExecutableFile(atPath: python)
    static let hasScapy = hasPython && (try? Command.run([python, "-c", "import scapy.contrib.stamp"])) != nil
    static let hasTshark = (try? Command.run(["tshark", "--version"])) != nil

    /// Sends probes that scapy builds, one at a time, until a reply carries the transmit timestamp of an earlier reply.
    /// Prints a line of JSON for each probe and reply. Arguments: address, port.
    static let scapySender = """
        import json, socket, struct, sys, time
        from scapy.contrib.stamp import STAMPSessionSenderTestUnauthenticated as Probe, STAMPTestTLV as TLV, ErrorEstimate

        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 77)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 10 << 2 | 1)
        # IP_RECVTTL and IP_RECVTOS of linux/in.h, which not every Python version defines.
        s.setsockopt(socket.IPPROTO_IP, 12, 1)
        s.setsockopt(socket.IPPROTO_IP, 13, 1)
        s.settimeout(5)
        for number in range(50):
            probe = Probe(
                seq=0xfffffffe + number & 0xffffffff, ssid=0x1234,
                err_estimate=ErrorEstimate(S=1, Z=0, scale=5, multiplier=7),
                tlv_objects=[
                    TLV(flags=0x80, type=4, len=4, value=struct.pack('>I', 46 << 26)),
                    TLV(flags=0x80, type=1, len=7, value=b'padding'),
                    TLV(flags=0x80, type=99, len=5, value=b'hello'),
                    TLV(flags=0x80, type=3, len=4, value=bytes(4)),
                    TLV(flags=0x80, type=7, len=16, value=bytes(16)),
                ])
            probe.fields['ts'] = 0xe9aabbcc80000001 + number
            before = time.time_ns()
            s.sendto(bytes(probe), (sys.argv[1], int(sys.argv[2])))
            reply, control, flags, source = s.recvmsg(2048, 256)
            after = time.time_ns()
            values = {kind: data[0] for level, kind, data in control}
            print(json.dumps(dict(
                probe=bytes(probe).hex(), reply=reply.hex(), before=before, after=after,
                ttl=values[socket.IP_TTL], tos=values[socket.IP_TOS])))
            if number and any(reply[-12:-4]):
                break
        """

    /// Decodes `sender HEX` and `reflector HEX` lines with the named scapy class, and prints scapy's fields as a line
    /// of JSON for each.
    static let scapyReader = """
        import json, sys
        from scapy.all import UDP
        from scapy.contrib.stamp import STAMPSessionSenderTestUnauthenticated as Sender
        from scapy.contrib.stamp import STAMPSessionReflectorTestUnauthenticated as Reflector

        for line in sys.stdin:
            kind, text = line.split()
            data = bytes.fromhex(text)
            packet = (Sender if kind == 'sender' else Reflector)(data, _parent=UDP(len=8 + len(data)))
            fields = {k: v for k, v in packet.fields.items() if isinstance(v, int)}
            for name in ('err_estimate', 'err_estimate_sender'):
                if name in packet.fields:
                    estimate = packet.fields[name]
                    fields[name] = estimate.S << 15 | estimate.Z << 14 | estimate.scale << 8 | estimate.multiplier
            fields['tlvs'] = [[int(t.flags), t.type, t.len, bytes(t.value).hex()] for t in packet.tlv_objects]
            print(json.dumps(fields))
        """

    /// A session-reflector that implements RFC 8762 only: each reply has 44 bytes. Arguments: port, `stateless` or
    /// `stateful`. It ignores probes whose sequence number ends with 3; replies to those that end with 7 are counted
    /// but not sent.
    static let reflector = """
        import socket, struct, sys, time

        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # IP_RECVTTL of linux/in.h, which not every Python version defines.
        s.setsockopt(socket.IPPROTO_IP, 12, 1)
        s.bind(('0.0.0.0', int(sys.argv[1])))
        print('ready', flush=True)
        counts = {}

        def ntp(nanoseconds):
            seconds, rest = divmod(nanoseconds, 10**9)
            return struct.pack('>II', seconds + 2208988800 & 0xffffffff, -(-rest * 2**32 // 10**9))

        while True:
            probe, control, flags, source = s.recvmsg(2048, 64)
            received = time.time_ns()
            sequence, = struct.unpack('>I', probe[:4])
            if sequence % 10 == 3:
                continue
            count = counts.get(source, 0)
            counts[source] = count + 1
            if sequence % 10 == 7:
                continue
            reply = struct.pack('>I', count if sys.argv[2] == 'stateful' else sequence) + ntp(time.time_ns())
            reply += b'\\x01\\x01' + probe[14:16] + ntp(received) + probe[:14] + bytes(2) + control[0][2][:1] + bytes(3)
            s.sendto(reply, source)
        """
}

import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// A classic BPF program that lets the messages of one flow through, and those that it does not recognise.
///
/// The kernel writes a flow's original tuple first and its reply tuple behind that, each with its parts in one order
/// (ctnetlink_conntrack_event in nf_conntrack_netlink.c), so they are found at fixed distances.
enum FlowFilter {
    /// - Parameter tuple: as packets of either direction look, before they are translated or after.
    static func program(for tuple: FlowTuple) -> [FilterInstruction] {
        let ways = [tuple, tuple.turnedRound].map { comparisons(with: $0) }
        var program = acceptanceOfUnknown
        // The family, in struct nfgenmsg.
        program.append(load(BPF_B, at: 16))
        program.append(jump(unlessEqual: UInt32(tuple.source.isIPv4 ? AF_INET : AF_INET6), by: 1))
        program.append(jump(always: 1))
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        // X: how far behind the original tuple's place the tuple is that is looked at.
        program.append(FilterInstruction(code: UInt16(BPF_LDX | BPF_IMM), k: 0))
        for way in ways { program += way }
        program += originalTupleLength
        for way in ways { program += way }
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        return program
    }

    /// - Parameter port: of UDP, at either end in either tuple.
    static func program(forUDPPort port: UInt16) -> [FilterInstruction] {
        var program = acceptanceOfUnknown
        program.append(FilterInstruction(code: UInt16(BPF_LDX | BPF_IMM), k: 0))
        for (family, addressBytes) in [(AF_INET, 4), (AF_INET6, 16)] as [(Int32, UInt32)] {
            var comparisons = [
                FilterInstruction(code: UInt16(BPF_LD | BPF_B | BPF_IND), k: 44 + 2 * addressBytes),
                // Past the two ports.
                jump(unlessEqual: UInt32(TransportProtocol.udp.rawValue), by: 6),
            ]
            for offset in [52 + 2 * addressBytes, 60 + 2 * addressBytes] {
                comparisons.append(FilterInstruction(code: UInt16(BPF_LD | BPF_H | BPF_IND), k: offset))
                comparisons.append(jump(unlessEqual: UInt32(port), by: 1))
                comparisons.append(accept)
            }
            let both = comparisons + originalTupleLength + comparisons
            program.append(load(BPF_B, at: 16))
            program.append(jump(unlessEqual: UInt32(family), by: UInt8(both.count + 1)))
            program += both
            program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        }
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        return program
    }

    /// Not the layout that is known: lets it through, the listener looks again.
    private static let acceptanceOfUnknown = [
        load(BPF_H, at: 22),
        jump(unlessEqual: nativeOrder(UInt16(CTA_TUPLE_ORIG.rawValue) | UInt16(NLA_F_NESTED)), by: 1),
        jump(always: 1),
        accept,
    ]

    private static let accept = FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: .max)

    /// Accepts where all parts are equal, else goes on behind.
    private static func comparisons(with tuple: FlowTuple) -> [FilterInstruction] {
        var parts: [(size: Int32, offset: UInt32, value: UInt32)] = []
        let addressBytes: UInt32 = tuple.source.isIPv4 ? 4 : 16
        for (offset, address) in [(32, tuple.source), (36 + addressBytes, tuple.destination)] {
            for (index, word) in words(of: address).enumerated() {
                parts.append((BPF_W, offset + 4 * UInt32(index), word))
            }
        }
        let end = 36 + 2 * addressBytes
        parts.append((BPF_B, end + 8, UInt32(tuple.transport.rawValue)))
        if case .ports(let source, let destination) = tuple.selector {
            parts.append((BPF_H, end + 16, UInt32(source)))
            parts.append((BPF_H, end + 24, UInt32(destination)))
        }
        var program: [FilterInstruction] = []
        for (index, part) in parts.enumerated() {
            program.append(
                FilterInstruction(code: UInt16(BPF_LD | part.size | BPF_IND), k: part.offset))
            // Past the comparisons that are left, and the acceptance.
            program.append(jump(unlessEqual: part.value, by: UInt8(2 * (parts.count - index - 1) + 1)))
        }
        return program + [accept]
    }

    /// X = the length of the original tuple's attribute, filled up to 4 bytes.
    private static var originalTupleLength: [FilterInstruction] {
        let isLittleEndian = UInt16(littleEndian: 1) == 1
        return [
            load(BPF_B, at: isLittleEndian ? 21 : 20),
            FilterInstruction(code: UInt16(BPF_ALU | BPF_LSH | BPF_K), k: 8),
            FilterInstruction(code: UInt16(BPF_MISC | BPF_TAX), k: 0),
            load(BPF_B, at: isLittleEndian ? 20 : 21),
            FilterInstruction(code: UInt16(BPF_ALU | BPF_ADD | BPF_X), k: 0),
            FilterInstruction(code: UInt16(BPF_ALU | BPF_ADD | BPF_K), k: 3),
            FilterInstruction(code: UInt16(BPF_ALU | BPF_AND | BPF_K), k: ~3),
            FilterInstruction(code: UInt16(BPF_MISC | BPF_TAX), k: 0),
        ]
    }

    private static func words(of address: IPAddress) -> [UInt32] {
        switch address {
        case .v4(let value): [value]
        case .v6(let value): (0..<4).map { UInt32(truncatingIfNeeded: value >> UInt128(96 - 32 * $0)) }
        }
    }

    /// BPF reads in the network's order what netlink writes in the machine's.
    private static func nativeOrder(_ value: UInt16) -> UInt32 { UInt32(value.bigEndian) }

    private static func load(_ size: Int32, at offset: UInt32) -> FilterInstruction {
        FilterInstruction(code: UInt16(BPF_LD | size | BPF_ABS), k: offset)
    }

    private static func jump(unlessEqual value: UInt32, by count: UInt8) -> FilterInstruction {
        FilterInstruction(code: UInt16(BPF_JMP | BPF_JEQ | BPF_K), jumpFalse: count, k: value)
    }

    private static func jump(always count: UInt32) -> FilterInstruction {
        FilterInstruction(code: UInt16(BPF_JMP | BPF_JA), k: count)
    }
}

import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// A classic BPF program that passes the messages of one flow, and messages of unknown layout.
///
/// The kernel writes a flow's original tuple first and its reply tuple second, each with its parts in a fixed order
/// (ctnetlink_conntrack_event in nf_conntrack_netlink.c), so they are at fixed offsets.
enum FlowFilter {
    /// Builds a program for one flow.
    ///
    /// - Parameter tuple: the tuple of packets of either direction, before or after translation.
    static func program(for tuple: FlowTuple) -> [FilterInstruction] {
        let directions = [tuple, tuple.inverted].map { comparisons(with: $0) }
        var program = acceptingUnknown
        // The address family in struct nfgenmsg.
        program.append(load(BPF_B, at: 16))
        program.append(jump(unlessEqual: UInt32(tuple.source.isIPv4 ? AF_INET : AF_INET6), by: 1))
        program.append(jump(always: 1))
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        // X: the offset of the compared tuple from the original tuple.
        program.append(FilterInstruction(code: UInt16(BPF_LDX | BPF_IMM), k: 0))
        for direction in directions { program += direction }
        program += originalTupleLength
        for direction in directions { program += direction }
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        return program
    }

    /// Builds a program for one UDP port.
    ///
    /// - Parameter port: the port, at either end in either tuple.
    static func program(forUDPPort port: UInt16) -> [FilterInstruction] {
        var program = acceptingUnknown
        program.append(FilterInstruction(code: UInt16(BPF_LDX | BPF_IMM), k: 0))
        for (family, addressBytes) in [(AF_INET, 4), (AF_INET6, 16)] as [(Int32, UInt32)] {
            var comparisons = [
                FilterInstruction(code: UInt16(BPF_LD | BPF_B | BPF_IND), k: 44 + 2 * addressBytes),
                // Skips the comparisons of both ports.
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

    /// Accepts messages of unknown layout; the listener checks them again.
    private static let acceptingUnknown = [
        load(BPF_H, at: 22),
        jump(unlessEqual: nativeOrder(UInt16(CTA_TUPLE_ORIG.rawValue) | UInt16(NLA_F_NESTED)), by: 1),
        jump(always: 1),
        accept,
    ]

    private static let accept = FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: .max)

    /// Accepts the message if all parts are equal; otherwise continues with the next instruction.
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
            // Skips the remaining comparisons and the acceptance.
            program.append(jump(unlessEqual: part.value, by: UInt8(2 * (parts.count - index - 1) + 1)))
        }
        return program + [accept]
    }

    /// X = the length of the original tuple's attribute, padded to 4 bytes.
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

    /// Converts a value for comparison: BPF loads in network byte order, and netlink writes in host byte order.
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

import CLinux
import Glibc
import LinuxKernel
import Netlink

/// Lets a random part of the events into a socket, and counts the others where it can.
///
/// An eBPF program counts what it leaves out. Where it may not be loaded (no CAP_BPF, no bpf(2)) a classic BPF program
/// does the same without counting.
struct EventSampler {
    /// `nil` where it could not be loaded.
    private let counting: Counting?

    private final class Counting {
        let map: CounterMap
        let program: SocketFilterProgram

        init() throws(SystemError) {
            map = try CounterMap(count: 2)
            program = try SocketFilterProgram(EventSampler.program(map: map.descriptor.rawValue))
        }
    }

    /// - Parameter mayCount: `false` for the one that does not count.
    init(mayCount: Bool = true) { counting = mayCount ? try? Counting() : nil }

    /// Lets so large a part of the events through, from 0 to 1; 1 takes the program off the socket.
    func take(_ fraction: Double, of connection: NetlinkConnection) throws(SystemError) {
        guard fraction < 1 else { return try connection.detachFilter() }
        let threshold = Self.threshold(fraction)
        guard let counting else { return try connection.attach(Self.classicProgram(threshold)) }
        try counting.map.set(UInt64(threshold), at: Self.thresholdIndex)
        try connection.attach(counting.program)
    }

    /// How many events it has left out so far; `nil` where it cannot count.
    func leftOut() throws(SystemError) -> UInt64? { try counting?.map.value(at: Self.leftOutIndex) }

    private static let leftOutIndex: UInt32 = 0
    private static let thresholdIndex: UInt32 = 1

    /// Random numbers of 32 bits below this one are taken.
    static func threshold(_ fraction: Double) -> UInt32 {
        UInt32(max(0, min(fraction, 1)) * Double(UInt32.max))
    }

    /// Takes a message whose random number is below the threshold in the map; counts it there otherwise.
    ///
    /// Source: bpf-helpers(7), Documentation/bpf/standardization/instruction-set.rst of the kernel.
    private static func program(map: Int32) -> [SocketFilterProgram.Instruction] {
        typealias Instruction = SocketFilterProgram.Instruction
        /// r0 = the address of the map's number, or 0.
        func look(up index: UInt32) -> [Instruction] {
            [
                Instruction(code: 0x62, destination: 10, offset: -4, immediate: Int32(index)),  // *(u32 *)(r10 - 4) =
                Instruction(code: 0xBF, destination: 2, source: 10),  // r2 = r10
                Instruction(code: 0x07, destination: 2, immediate: -4),  // r2 += -4
                Instruction(code: 0x18, destination: 1, source: 1, immediate: map),  // r1 = the map, in two parts
                Instruction(code: 0),
                Instruction(code: 0x85, immediate: 1),  // call bpf_map_lookup_elem
            ]
        }
        return [
            Instruction(code: 0x85, immediate: 7),  // call bpf_get_prandom_u32
            Instruction(code: 0xBF, destination: 6, source: 0),  // r6 = r0
        ] + look(up: thresholdIndex) + [
            Instruction(code: 0x15, destination: 0, offset: 13),  // if r0 == 0 goto take
            Instruction(code: 0x79, destination: 7, source: 0),  // r7 = *(u64 *)r0
            Instruction(code: 0xAD, destination: 6, source: 7, offset: 11),  // if r6 < r7 goto take
        ] + look(up: leftOutIndex) + [
            Instruction(code: 0x15, destination: 0, offset: 2),  // if r0 == 0 goto leave
            Instruction(code: 0xB7, destination: 1, immediate: 1),  // r1 = 1
            Instruction(code: 0xDB, destination: 0, source: 1),  // lock *(u64 *)r0 += r1
            Instruction(code: 0xB7),  // leave: r0 = 0
            Instruction(code: 0x95),  // exit
            Instruction(code: 0xB4, immediate: -1),  // take: r0 = 2^32 - 1, all bytes
            Instruction(code: 0x95),  // exit
        ]
    }

    /// The same in classic BPF. Source: SKF_AD_RANDOM in linux/filter.h.
    private static func classicProgram(_ threshold: UInt32) -> [FilterInstruction] {
        [
            FilterInstruction(
                code: UInt16(BPF_LD | BPF_W | BPF_ABS), k: UInt32(bitPattern: SKF_AD_OFF + SKF_AD_RANDOM)),
            FilterInstruction(code: UInt16(BPF_JMP | BPF_JGE | BPF_K), jumpTrue: 1, k: threshold),
            FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: .max),
            FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0),
        ]
    }
}

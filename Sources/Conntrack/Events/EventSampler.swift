import CLinux
import Glibc
import LinuxKernel
import Netlink

/// A socket filter that passes a random fraction of events and, if possible, counts the rest.
///
/// An eBPF program counts the events that it drops. If it cannot be loaded (no CAP_BPF, no bpf(2)), a classic BPF
/// program samples without counting.
struct EventSampler {
    /// The eBPF program and its counters; `nil` if it could not be loaded.
    private let counting: Counting?

    private final class Counting {
        let map: CounterMap
        let program: SocketFilterProgram

        init() throws(SystemError) {
            map = try CounterMap(count: 2)
            program = try SocketFilterProgram(EventSampler.program(map: map.descriptor.rawValue))
        }
    }

    /// Loads the eBPF program if possible.
    ///
    /// - Parameter mayCount: `false` for the classic BPF program, which does not count.
    init(mayCount: Bool = true) { counting = mayCount ? try? Counting() : nil }

    /// Passes that fraction of events, from 0 to 1; at 1 the program is detached.
    func apply(_ fraction: Double, to connection: NetlinkConnection) throws(SystemError) {
        guard fraction < 1 else { return try connection.detachFilter() }
        let threshold = Self.threshold(fraction)
        guard let counting else { return try connection.attach(Self.classicProgram(threshold)) }
        try counting.map.set(UInt64(threshold), at: Self.thresholdIndex)
        try connection.attach(counting.program)
    }

    /// Reads the number of events dropped so far; `nil` if the program does not count.
    func leftOut() throws(SystemError) -> UInt64? { try counting?.map.value(at: Self.leftOutIndex) }

    private static let leftOutIndex: UInt32 = 0
    private static let thresholdIndex: UInt32 = 1

    /// The threshold of 32-bit random numbers below which an event passes.
    static func threshold(_ fraction: Double) -> UInt32 {
        UInt32(max(0, min(fraction, 1)) * Double(UInt32.max))
    }

    /// Builds the eBPF program: it passes a message whose random number is below the threshold in the map, and counts
    /// it in the map otherwise.
    ///
    /// Source: bpf-helpers(7), Documentation/bpf/standardization/instruction-set.rst of the kernel.
    private static func program(map: Int32) -> [SocketFilterProgram.Instruction] {
        typealias Instruction = SocketFilterProgram.Instruction
        /// r0 = the address of the map's element, or 0.
        func lookup(_ index: UInt32) -> [Instruction] {
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
        ] + lookup(thresholdIndex) + [
            Instruction(code: 0x15, destination: 0, offset: 13),  // if r0 == 0 goto pass
            Instruction(code: 0x79, destination: 7, source: 0),  // r7 = *(u64 *)r0
            Instruction(code: 0xAD, destination: 6, source: 7, offset: 11),  // if r6 < r7 goto pass
        ] + lookup(leftOutIndex) + [
            Instruction(code: 0x15, destination: 0, offset: 2),  // if r0 == 0 goto drop
            Instruction(code: 0xB7, destination: 1, immediate: 1),  // r1 = 1
            Instruction(code: 0xDB, destination: 0, source: 1),  // lock *(u64 *)r0 += r1
            Instruction(code: 0xB7),  // drop: r0 = 0
            Instruction(code: 0x95),  // exit
            Instruction(code: 0xB4, immediate: -1),  // pass: r0 = 2^32 - 1, all bytes
            Instruction(code: 0x95),  // exit
        ]
    }

    /// Builds the classic BPF program. Source: SKF_AD_RANDOM in linux/filter.h.
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

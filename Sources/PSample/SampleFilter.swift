import CLinux
import LinuxKernel

/// A classic BPF program that lets the wanted groups through, so that others' samples take no room in the buffer.
///
/// Source: SKF_AD_NLATTR in Documentation/networking/filter.rst of the kernel.
enum SampleFilter {
    /// Jumps have eight bits.
    static let limit = 200

    /// - Parameters:
    ///   - family: psample's number: messages of other families pass.
    ///   - groups: the wanted ones, at most ``limit``. Messages that name none pass.
    static func program(family: UInt16, groups: Set<UInt32>) -> [FilterInstruction] {
        let load = UInt16(BPF_LD), jump = UInt16(BPF_JMP | BPF_JEQ | BPF_K)
        // Jumps count from the instruction behind them. The last two return "nothing" and "all of it".
        let accept = UInt8(truncatingIfNeeded: groups.count)
        var program = [
            FilterInstruction(code: load | UInt16(BPF_H | BPF_ABS), k: 4),  // nlmsg_type
            FilterInstruction(code: jump, jumpFalse: accept + 7, k: UInt32(family.bigEndian)),
            FilterInstruction(code: load | UInt16(BPF_IMM), k: 20),  // behind both headers
            FilterInstruction(code: UInt16(BPF_LDX | BPF_IMM), k: UInt32(PSAMPLE_ATTR_SAMPLE_GROUP)),
            FilterInstruction(code: load | UInt16(BPF_W | BPF_ABS), k: UInt32(bitPattern: SKF_AD_OFF + SKF_AD_NLATTR)),
            FilterInstruction(code: jump, jumpTrue: accept + 3, k: 0),
            FilterInstruction(code: UInt16(BPF_MISC | BPF_TAX), k: 0),
            FilterInstruction(code: load | UInt16(BPF_W | BPF_IND), k: 4),
        ]
        // Loads take the network's byte order, and the numbers are in the machine's.
        for (position, group) in groups.sorted().enumerated() {
            let left = accept - UInt8(truncatingIfNeeded: position)
            program.append(FilterInstruction(code: jump, jumpTrue: left, k: group.bigEndian))
        }
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: .max))
        return program
    }
}

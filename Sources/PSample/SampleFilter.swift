import CLinux
import LinuxKernel

/// A classic BPF program that passes the selected groups, so that other samples take no space in the receive buffer.
///
/// Source: SKF_AD_NLATTR in Documentation/networking/filter.rst of the kernel.
enum SampleFilter {
    /// The maximum number of groups: a jump offset has eight bits.
    static let limit = 200

    /// Builds the program.
    ///
    /// - Parameters:
    ///   - family: psample's family identifier. Messages of other families pass.
    ///   - groups: the groups to pass, at most ``limit``. Messages without a group pass.
    static func program(family: UInt16, groups: Set<UInt32>) -> [FilterInstruction] {
        let load = UInt16(BPF_LD), jump = UInt16(BPF_JMP | BPF_JEQ | BPF_K)
        // Jump offsets count from the next instruction. The last two instructions drop and accept the message.
        let accept = UInt8(truncatingIfNeeded: groups.count)
        var program = [
            FilterInstruction(code: load | UInt16(BPF_H | BPF_ABS), k: 4),  // nlmsg_type
            FilterInstruction(code: jump, jumpFalse: accept + 7, k: UInt32(family.bigEndian)),
            FilterInstruction(code: load | UInt16(BPF_IMM), k: 20),  // after both headers
            FilterInstruction(code: UInt16(BPF_LDX | BPF_IMM), k: UInt32(PSAMPLE_ATTR_SAMPLE_GROUP)),
            FilterInstruction(code: load | UInt16(BPF_W | BPF_ABS), k: UInt32(bitPattern: SKF_AD_OFF + SKF_AD_NLATTR)),
            FilterInstruction(code: jump, jumpTrue: accept + 3, k: 0),
            FilterInstruction(code: UInt16(BPF_MISC | BPF_TAX), k: 0),
            FilterInstruction(code: load | UInt16(BPF_W | BPF_IND), k: 4),
        ]
        // A BPF load converts from network byte order, and netlink writes group numbers in host byte order.
        for (position, group) in groups.sorted().enumerated() {
            let left = accept - UInt8(truncatingIfNeeded: position)
            program.append(FilterInstruction(code: jump, jumpTrue: left, k: group.bigEndian))
        }
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0))
        program.append(FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: .max))
        return program
    }
}

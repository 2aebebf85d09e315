import CLinux
import Glibc
import LinuxKernel

/// Conditions on metadata that the frame's bytes do not contain. The kernel removes a VLAN tag before any filter runs,
/// and only the interface determines which host a frame is for. Classic BPF reads both from the packet's metadata;
/// libpcap's `vlan` reads the frame.
///
/// Source: Documentation/networking/filter.rst, SKF_AD_OFF in linux/filter.h.
extension Filter {
    /// Restricts this filter to frames addressed to this host: not to a group, not to another host, not sent by this
    /// host.
    public func onlyToThisHost() -> Filter {
        prefixed(by: [
            Self.load(SKF_AD_PKTTYPE), Self.jump(BPF_JEQ, UInt32(PACKET_HOST), 1, 0), Self.refuse,
        ])
    }

    /// Restricts this filter to frames of one VLAN. Needs a connection for all ethertypes (3): for others the kernel
    /// drops the tag first.
    ///
    /// - Parameter identifier: 1 to 4094; 0 for frames without a tag or with a priority tag.
    public func onlyVLAN(_ identifier: UInt16) -> Filter {
        if identifier == 0 {
            return prefixed(by: [
                Self.load(SKF_AD_VLAN_TAG_PRESENT), Self.jump(BPF_JEQ, 0, 3, 0),
                Self.load(SKF_AD_VLAN_TAG), Self.jump(BPF_JSET, 0x0FFF, 0, 1), Self.refuse,
            ])
        }
        return prefixed(by: [
            Self.load(SKF_AD_VLAN_TAG_PRESENT), Self.jump(BPF_JEQ, 0, 5, 0),
            // A provider tag (0x88A8) is a different VLAN.
            Self.load(SKF_AD_VLAN_TPID), Self.jump(BPF_JEQ, UInt32(ETH_P_8021Q), 0, 3),
            Self.load(SKF_AD_VLAN_TAG), Instruction(code: UInt16(BPF_ALU | BPF_AND | BPF_K), k: 0x0FFF),
            Self.jump(BPF_JEQ, UInt32(identifier), 1, 0), Self.refuse,
        ])
    }

    /// Prepends instructions. Jumps are relative, so the existing ones stay valid.
    private func prefixed(by beginning: [Instruction]) -> Filter {
        Filter(instructions: beginning + instructions)
    }

    private static let refuse = Instruction(code: UInt16(BPF_RET | BPF_K), k: 0)

    private static func load(_ metadata: Int32) -> Instruction {
        Instruction(code: UInt16(BPF_LD | BPF_W | BPF_ABS), k: UInt32(bitPattern: SKF_AD_OFF + metadata))
    }

    /// - Parameters:
    ///   - yes: the number of instructions to skip if the condition holds.
    ///   - no: the number of instructions to skip if it does not.
    private static func jump(_ condition: Int32, _ value: UInt32, _ yes: UInt8, _ no: UInt8) -> Instruction {
        Instruction(code: UInt16(BPF_JMP | condition | BPF_K), jumpTrue: yes, jumpFalse: no, k: value)
    }
}

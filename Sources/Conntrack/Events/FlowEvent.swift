import CLinux
import Netlink

/// An event of a flow, with the flow's state at that time.
public struct FlowEvent: Hashable, Sendable {
    /// The kind of event. Source: NFNLGRP_CONNTRACK_* in linux/netfilter/nfnetlink.h.
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// The flow entered the table. Usually no reply has been seen yet.
        case new
        /// The flow changed: a reply arrived, or its mark or TCP state changed.
        case update
        /// The flow left the table. The event has its final counters.
        case destroy
    }

    public var kind: Kind
    public var flow: Flow

    /// An event with the given values.
    public init(_ kind: Kind, _ flow: Flow) {
        self.kind = kind
        self.flow = flow
    }

    /// Decodes an event; `nil` for other messages.
    ///
    /// - Throws: ``NetlinkFormatError`` as ``Flow`` does.
    public init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard let flow = try Flow(message) else { return nil }
        self.flow = flow
        // Source: ctnetlink_conntrack_event in the kernel's nf_conntrack_netlink.c.
        if message.type == ConntrackMessage.delete {
            kind = .destroy
        } else {
            kind = message.hasFlag(NLM_F_CREATE) ? .new : .update
        }
    }
}

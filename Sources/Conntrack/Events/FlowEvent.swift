import CLinux
import Netlink

/// What the kernel tells of a flow at the moment when it happens.
public struct FlowEvent: Hashable, Sendable {
    /// What happened. Source: NFNLGRP_CONNTRACK_* in linux/netfilter/nfnetlink.h.
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// The flow came into the table. Most often no answer has been seen yet.
        case new
        /// Something of it changed: an answer came, its mark or its TCP state is another.
        case update
        /// The flow left the table, with its last counters.
        case destroy
    }

    public var kind: Kind
    public var flow: Flow

    /// An event as the kernel would tell of it.
    public init(_ kind: Kind, _ flow: Flow) {
        self.kind = kind
        self.flow = flow
    }

    /// Reads an event's message; `nil` for other messages.
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

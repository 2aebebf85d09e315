import CLinux
import Glibc

/// A queueing discipline of an interface, as `tc qdisc` prints it. Source: RTM_GETQDISC in rtnetlink(7).
public struct QueueingDiscipline: Hashable, Sendable {
    /// The kind, such as "noqueue", "fq_codel" or "mq".
    public var kind: String
    /// The handle; 0 for a qdisc that the kernel created by default.
    public var handle: UInt32
    /// The parent class; ``root`` for the interface's root qdisc.
    public var parent: UInt32

    /// TC_H_ROOT of linux/pkt_sched.h: the parent of an interface's root qdisc.
    public static let root: UInt32 = 0xFFFF_FFFF
    /// TC_H_INGRESS of linux/pkt_sched.h: the parent of a qdisc for received packets.
    public static let ingress: UInt32 = 0xFFFF_FFF1

    /// A queueing discipline with the given values.
    public init(kind: String, handle: UInt32, parent: UInt32) {
        self.kind = kind
        self.handle = handle
        self.parent = parent
    }

    /// Decodes RTM_NEWQDISC; `nil` for other messages and interfaces.
    package init?(_ message: NetlinkMessage, on interfaceIndex: Int32) throws(NetlinkFormatError) {
        guard message.type == UInt16(RTM_NEWQDISC) else { return nil }
        let header = try message.fixed(as: tcmsg.self)
        guard header.tcm_ifindex == interfaceIndex else { return nil }
        var reader = message.attributes(after: tcmsg.self)
        var kind: String?
        while reader.next() {
            if reader.type == UInt16(TCA_KIND) { kind = reader.string() }
        }
        if let error = reader.error { throw error }
        guard let kind else { throw .missingAttribute(type: UInt16(TCA_KIND)) }
        self.init(kind: kind, handle: header.tcm_handle, parent: header.tcm_parent)
    }
}

extension NetlinkConnection {
    /// Lists the queueing disciplines of one interface, in the kernel's order.
    public func queueingDisciplines(on interfaceIndex: Int32) throws(NetlinkError) -> [QueueingDiscipline] {
        var header = tcmsg()
        header.tcm_ifindex = interfaceIndex
        let message = MessageWriter(type: UInt16(RTM_GETQDISC), fixed: header)
        return try dump("read the interface's queueing disciplines", message) {
            message throws(NetlinkFormatError) in try QueueingDiscipline(message, on: interfaceIndex)
        }
    }
}

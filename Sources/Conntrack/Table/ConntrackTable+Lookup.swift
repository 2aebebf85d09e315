import CLinux
import Glibc
import Netlink
import NetworkAddresses

extension ConntrackTable {
    /// The flow one of whose two tuples is this one, as its packets come in.
    ///
    /// A flow is found by its original tuple and by its reply tuple alike; ``Flow/direction(of:)`` tells them apart.
    /// - Parameters:
    ///   - zone: the conntrack zone; 0 is the default one.
    ///   - direction: which direction's zone that is, for flows whose directions are in different zones.
    /// - Returns: `nil` where there is none.
    /// - Throws: ``NetlinkError``, EPERM without CAP_NET_ADMIN.
    public func flow(
        _ tuple: FlowTuple, zone: UInt16 = 0, direction: Flow.Direction = .original
    ) throws(NetlinkError) -> Flow? {
        let message = Self.request(ConntrackMessage.get, tuple, zone, direction)
        do throws(NetlinkError) {
            let flows = try connection.request("look the flow up", message) {
                message throws(NetlinkFormatError) in try Flow(message)
            }
            return flows.first
        } catch  where error.cause == .refused(ENOENT) {
            return nil
        }
    }

    /// The flow that packets belong to which look like the tuple: of either direction, before they are translated or
    /// after.
    ///
    /// - Parameter zone: as for ``flow(_:zone:direction:)``.
    public func flow(ofPackets tuple: FlowTuple, zone: UInt16 = 0) throws(NetlinkError) -> Flow? {
        if let flow = try flow(tuple, zone: zone) { return flow }
        // What leaves translated is an answer turned round, and the answer is one of the two tuples.
        return try flow(tuple.turnedRound, zone: zone)
    }

    /// Whether there is such a flow: see ``flow(_:zone:direction:)``.
    public func contains(
        _ tuple: FlowTuple, zone: UInt16 = 0, direction: Flow.Direction = .original
    ) throws(NetlinkError) -> Bool {
        try flow(tuple, zone: zone, direction: direction) != nil
    }

    /// Takes the flow out of the table, one of whose two tuples is this one: its next packet begins another.
    ///
    /// - Parameter id: a flow's own: another flow that has come in its place is left alone.
    /// - Returns: whether there was one.
    /// - Throws: ``NetlinkError``, EPERM without CAP_NET_ADMIN.
    public func delete(
        _ tuple: FlowTuple, zone: UInt16 = 0, direction: Flow.Direction = .original, id: UInt32? = nil
    ) throws(NetlinkError) -> Bool {
        // A request without a tuple would empty the whole table.
        var message = Self.request(ConntrackMessage.delete, tuple, zone, direction)
        if let id { message.attributes.put(UInt16(CTA_ID.rawValue), id, order: .network) }
        do throws(NetlinkError) {
            _ = try connection.request("delete the flow", message) { _ -> Never? in nil }
            return true
        } catch  where error.cause == .refused(ENOENT) {
            return false
        }
    }

    private static func request(
        _ type: UInt16, _ tuple: FlowTuple, _ zone: UInt16, _ direction: Flow.Direction
    ) -> MessageWriter {
        var message = request(type, tuple.source.isIPv4 ? .ipv4 : .ipv6)
        tuple.write(as: direction == .original ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY, to: &message.attributes)
        if zone != 0 { message.attributes.put(UInt16(CTA_ZONE.rawValue), zone, order: .network) }
        return message
    }
}

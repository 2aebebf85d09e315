import CLinux
import Glibc
import Netlink
import NetworkAddresses

extension ConntrackTable {
    /// Looks up the flow with this original or reply tuple.
    ///
    /// ``Flow/direction(of:)`` returns which of the two matched.
    /// - Parameters:
    ///   - zone: the conntrack zone; 0 is the default one.
    ///   - direction: the direction whose zone that is, for flows whose directions are in different zones.
    /// - Returns: the flow; `nil` if there is none.
    /// - Throws: ``NetlinkError`` with code EPERM without CAP_NET_ADMIN.
    public func flow(
        _ tuple: FlowTuple, zone: UInt16 = 0, direction: Flow.Direction = .original
    ) throws(NetlinkError) -> Flow? {
        let message = Self.request(ConntrackMessage.get, tuple, zone, direction)
        do throws(NetlinkError) {
            let flows = try connection.request("look up the flow", message) {
                message throws(NetlinkFormatError) in try Flow(message)
            }
            return flows.first
        } catch  where error.cause == .refused(ENOENT) {
            return nil
        }
    }

    /// Looks up the flow of packets with that tuple, in either direction, before or after translation.
    ///
    /// - Parameter zone: as for ``flow(_:zone:direction:)``.
    public func flow(ofPackets tuple: FlowTuple, zone: UInt16 = 0) throws(NetlinkError) -> Flow? {
        if let flow = try flow(tuple, zone: zone) { return flow }
        // A packet after translation has the inverse of one of the flow's two tuples.
        return try flow(tuple.inverted, zone: zone)
    }

    /// Returns whether there is such a flow; see ``flow(_:zone:direction:)``.
    public func contains(
        _ tuple: FlowTuple, zone: UInt16 = 0, direction: Flow.Direction = .original
    ) throws(NetlinkError) -> Bool {
        try flow(tuple, zone: zone, direction: direction) != nil
    }

    /// Deletes the flow with this original or reply tuple. The next packet begins a new flow.
    ///
    /// - Parameter id: the flow's id; a flow with another id, which has replaced it, is not deleted.
    /// - Returns: `true` if a flow was deleted.
    /// - Throws: ``NetlinkError`` with code EPERM without CAP_NET_ADMIN.
    public func delete(
        _ tuple: FlowTuple, zone: UInt16 = 0, direction: Flow.Direction = .original, id: UInt32? = nil
    ) throws(NetlinkError) -> Bool {
        // A request without a tuple would delete every flow.
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

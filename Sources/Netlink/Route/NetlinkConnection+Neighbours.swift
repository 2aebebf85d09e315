import CLinux
import Glibc
import NetworkAddresses

extension NetlinkConnection {
    /// Looks up the neighbour table's entry for `address`; `nil` if there is none.
    public func neighbour(
        _ address: IPAddress, on interfaceIndex: Int32
    ) throws(NetlinkError) -> Neighbour? {
        let operation: StaticString = "look up the neighbour"
        let message = neighbourMessage(RTM_GETNEIGH, address, on: interfaceIndex)
        do throws(NetlinkError) {
            return try request(operation, message) { message throws(NetlinkFormatError) in
                try Neighbour(message)
            }.first { $0.address == address && $0.interfaceIndex == interfaceIndex }
        } catch  where error.cause == .refused(ENOENT) {
            return nil
        } catch  where error.cause == .refused(EOPNOTSUPP) {
            // Kernels before 5.0 can only dump the whole table.
            return try neighbours(of: address.family).first {
                $0.address == address && $0.interfaceIndex == interfaceIndex
            }
        }
    }

    /// Removes the neighbour table's entry for `address`. Needs CAP_NET_ADMIN.
    ///
    /// - Returns: `true` if there was one.
    @discardableResult
    public func deleteNeighbour(
        _ address: IPAddress, on interfaceIndex: Int32
    ) throws(NetlinkError) -> Bool {
        let message = neighbourMessage(RTM_DELNEIGH, address, on: interfaceIndex)
        do throws(NetlinkError) {
            _ = try request("delete the neighbour", message) { _ throws(NetlinkFormatError) in Neighbour?.none }
            return true
        } catch  where error.cause == .refused(ENOENT) {
            return false
        }
    }

    /// Reads the whole neighbour table of an address family.
    private func neighbours(of family: UInt8) throws(NetlinkError) -> [Neighbour] {
        var header = ndmsg()
        header.ndm_family = family
        let message = MessageWriter(type: UInt16(RTM_GETNEIGH), fixed: header)
        return try dump("read the neighbour table", message) { message throws(NetlinkFormatError) in
            try Neighbour(message)
        }
    }

    private func neighbourMessage(_ type: some BinaryInteger, _ address: IPAddress, on interfaceIndex: Int32)
        -> MessageWriter
    {
        var header = ndmsg()
        header.ndm_family = address.family
        header.ndm_ifindex = interfaceIndex
        var message = MessageWriter(type: UInt16(truncatingIfNeeded: type), fixed: header)
        message.attributes.put(UInt16(NDA_DST), address)
        return message
    }
}

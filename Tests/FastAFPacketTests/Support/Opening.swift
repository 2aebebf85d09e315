import FastAFPacket
import LinuxKernel
import Testing

extension VethPair {
    /// A packet connection on one side, for the tests' ethertype by default.
    func listen(
        _ side: Side, etherType: UInt16 = testEtherType, type: PacketConn.SocketType = .raw, dual: Bool = true,
        _ change: (inout PacketConn.Configuration) -> Void = { _ in }
    ) throws(SystemError) -> PacketConn {
        var configuration = PacketConn.Configuration(dualConn: dual)
        change(&configuration)
        return try enter(side) { () throws(SystemError) in
            try PacketConn.listen(
                on: Interface(named: VethPair.interfaceName), type: type, etherType: etherType,
                configuration: configuration)
        }
    }
}

/// Sends frames until one arrives with a timestamp: the kernel switches receive timestamps on in a workqueue, so the
/// first frames may have none. Leaves nothing unread.
func warmUp(_ sender: PacketConn, _ receiver: PacketConn) throws {
    var isStamped = false
    let end = soon()
    while !isStamped, ClockID.monotonic.now() < end {
        try sender.sendFrames([0])
        try receiver.receiveAll(1) { _, packet in isStamped = packet.stamps.software != nil }
        _ = try sender.receiveStamps(2)
    }
    try #require(isStamped, "receive timestamps were not switched on")
}

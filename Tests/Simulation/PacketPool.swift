import STAMPSession
import STAMPWire

/// The packets on the way, with their bytes. Places are used again.
struct PacketPool {
    struct Packet {
        var bytes: [UInt8]
        var length = 0
        /// The sender and the reply, if it is one, in ``Truth``; the probe's sequence number.
        var sender = 0
        var reply = -1
        var sequence: UInt32 = 0
        /// The copies that have not arrived.
        var copies = 0
    }

    var packets: [Packet] = []
    private var free: [Int] = []

    mutating func take(bytes: Int) -> Int {
        if let index = free.popLast() { return index }
        packets.append(Packet(bytes: Array(repeating: 0, count: bytes)))
        return packets.count - 1
    }

    /// Records that a copy has left the path, or that none was sent.
    mutating func release(_ index: Int) {
        packets[index].copies -= 1
        if packets[index].copies <= 0 { free.append(index) }
    }
}

/// A message with transmit timestamps on the way to an application.
struct StampMessage {
    var report: StampReport
    /// The packet, in the application's ``LedgerTruth``.
    var packet: Int
    /// The place and ID at a reflector; the sequence number at a sender.
    var place: Int
    var id: UInt32
    /// The reflector's life.
    var life: Int
}

/// The messages on the way. Places are used again.
struct MessagePool {
    private(set) var messages: [StampMessage] = []
    private var free: [Int] = []

    mutating func add(_ message: StampMessage) -> Int {
        if let index = free.popLast() {
            messages[index] = message
            return index
        }
        messages.append(message)
        return messages.count - 1
    }

    mutating func take(_ index: Int) -> StampMessage {
        free.append(index)
        return messages[index]
    }
}

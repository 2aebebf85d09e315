import STAMPWire

/// What a hostile reflector makes of its replies: damaged ones, replays, and replies to probes that were never sent.
struct HostileReplies {
    private var random: SplitMix64
    /// The bytes of an earlier reply.
    private var earlier: [UInt8] = []

    init(random: SplitMix64) { self.random = random }

    /// Sends a reply, or something else in its place, and perhaps more.
    mutating func send(_ packet: Int, _ world: World, to sender: Int, at time: Int64) {
        let bytes = world.replies.packets[packet].bytes
        if random.chance(0.3) { forge(bytes, world, to: sender, at: time) }
        if random.chance(0.5) {
            let length = damage(&world.replies.packets[packet].bytes)
            world.replies.packets[packet].length = min(length, world.replies.packets[packet].length)
        }
        world.replies.packets[packet].reply = -1
        earlier = bytes
        world.send(packet, isProbe: false, to: sender, at: time)
    }

    private mutating func forge(_ bytes: [UInt8], _ world: World, to sender: Int, at time: Int64) {
        let packet = world.replies.take(bytes: bytes.count)
        world.replies.packets[packet].bytes = random.chance(0.5) || earlier.isEmpty ? bytes : earlier
        world.replies.packets[packet].length = bytes.count
        world.replies.packets[packet].reply = -1
        if random.chance(0.8) {
            world.replies.packets[packet].length = damage(&world.replies.packets[packet].bytes)
        }
        world.send(packet, isProbe: false, to: sender, at: time)
    }

    /// Damages a reply, mostly behind the fields by which it is recognised, and returns its new length.
    private mutating func damage(_ bytes: inout [UInt8]) -> Int {
        switch random.below(8) {
        case 0: return random.below(bytes.count + 1)
        case 1: for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
        // Absurd T2 and T3, and an absurd number.
        case 2: for index in 4..<24 where index < 14 || index > 15 { bytes[index] = random.chance(0.5) ? 0xFF : 0 }
        case 3: for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
        // All-ones TLVs; all-ones values behind intact headers.
        case 4: for index in 44..<bytes.count { bytes[index] = 0xFF }
        case 5: for index in bytes.indices where index >= 88 { bytes[index] = 0xFF }
        // Random sets and clock steps in the paired-timestamps TLV.
        case 6: for index in bytes.indices where index >= 84 { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
        default: for _ in 0..<4 { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
        }
        return bytes.count
    }
}

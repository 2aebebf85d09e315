import LinuxKernel

/// Names of this network namespace's interfaces by the numbers that samples have.
struct InterfaceNames {
    private var known: [UInt32: Interface] = [:]
    private var lastCheck: Int64 = .min

    /// The name, or the number where there is no such interface.
    mutating func name(_ number: UInt32) -> String { interface(number)?.name ?? "#\(number)" }

    /// Whether its packets begin with an Ethernet header, as most do.
    mutating func isEthernet(_ number: UInt32?) -> Bool { number.flatMap { interface($0) }?.isEthernet ?? true }

    /// The kernel gives the low 16 bits of a number alone: where no interface has the number itself, it is one with those.
    private mutating func interface(_ number: UInt32) -> Interface? {
        if let interface = known[number] { return interface }
        let now = ClockID.monotonic.now()
        // One that is unknown stays so for a while, however many samples name it.
        guard lastCheck == .min || now &- lastCheck >= 1_000_000_000 else { return nil }
        lastCheck = now
        let all = (try? Interface.all()) ?? []
        known = [:]
        for interface in all { known[UInt32(bitPattern: interface.index) & 0xFFFF] = interface }
        for interface in all { known[UInt32(bitPattern: interface.index)] = interface }
        return known[number]
    }
}

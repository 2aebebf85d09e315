import LinuxKernel

/// The names of this network namespace's interfaces, by the interface numbers in samples.
struct InterfaceNames {
    private var known: [UInt32: Interface] = [:]
    private var lastCheck: Int64 = .min

    /// Returns the interface's name, or "#" and its number if there is no such interface.
    mutating func name(_ number: UInt32) -> String { interface(number)?.name ?? "#\(number)" }

    /// Returns whether the interface's packets begin with an Ethernet header; true if the interface is unknown.
    mutating func isEthernet(_ number: UInt32?) -> Bool { number.flatMap { interface($0) }?.isEthernet ?? true }

    /// Finds an interface by its number or, since the kernel reports only the low 16 bits, by those.
    private mutating func interface(_ number: UInt32) -> Interface? {
        if let interface = known[number] { return interface }
        let now = ClockID.monotonic.now()
        // The list is read at most once a second, however many samples name an unknown interface.
        guard lastCheck == .min || now &- lastCheck >= 1_000_000_000 else { return nil }
        lastCheck = now
        let all = (try? Interface.all()) ?? []
        known = [:]
        for interface in all { known[UInt32(bitPattern: interface.index) & 0xFFFF] = interface }
        for interface in all { known[UInt32(bitPattern: interface.index)] = interface }
        return known[number]
    }
}

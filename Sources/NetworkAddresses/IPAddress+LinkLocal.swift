extension IPAddress {
    /// Returns the IPv6 link-local address that a station forms from its MAC address, which differs for each station.
    ///
    /// Source: RFC 4291 section 2.5.6 and appendix A: EUI-64 with the universal/local bit inverted.
    public static func linkLocal(of station: MACAddress) -> IPAddress {
        .v6(UInt128(0xFE80) << 112 | UInt128(station.eui64 ^ 0x0200_0000_0000_0000))
    }
}

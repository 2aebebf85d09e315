import CLinux

/// Ethtool's sets of bits in their compact form: words of 32 bits in the machine's order.
///
/// Source: "Bit sets" in Documentation/networking/ethtool-netlink.rst.
extension AttributeReader {
    /// The first 32 bits of the current attribute's set. A set that names each bit instead is an error that stays.
    mutating func bitset() -> UInt32 {
        var bits: UInt32?
        let type = type
        nested { set in
            while set.next() {
                switch Int32(set.type) {
                case Int32(ETHTOOL_A_BITSET_VALUE): bits = set.structure(as: UInt32.self)
                default: break
                }
            }
        }
        if bits == nil { reject(.attributeSize(type: type, bytes: payload.count)) }
        return bits ?? 0
    }
}

extension AttributeWriter {
    /// A whole set of 32 bits: what is not in it is to be switched off.
    mutating func put(bitset type: UInt16, _ bits: UInt32) {
        putNested(type) { set in
            set.putFlag(UInt16(ETHTOOL_A_BITSET_NOMASK))
            set.put(UInt16(ETHTOOL_A_BITSET_SIZE), UInt32(32))
            set.put(UInt16(ETHTOOL_A_BITSET_VALUE), bits)
        }
    }
}

import CLinux

/// Ethtool's bit sets in compact form: 32-bit words in host byte order.
///
/// Source: "Bit sets" in Documentation/networking/ethtool-netlink.rst.
extension AttributeReader {
    /// Reads the first 32 bits of the current attribute's set. A verbose set, which lists each bit, is recorded as an
    /// error.
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
    /// Appends a complete set of 32 bits (no mask): bits that are 0 are switched off.
    mutating func put(bitset type: UInt16, _ bits: UInt32) {
        putNested(type) { set in
            set.putFlag(UInt16(ETHTOOL_A_BITSET_NOMASK))
            set.put(UInt16(ETHTOOL_A_BITSET_SIZE), UInt32(32))
            set.put(UInt16(ETHTOOL_A_BITSET_VALUE), bits)
        }
    }
}

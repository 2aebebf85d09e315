import CLinux
import Netlink
import NetworkAddresses

extension FlowTuple {
    /// Decodes the nested attributes of CTA_TUPLE_ORIG or CTA_TUPLE_REPLY, including the direction's zone.
    ///
    /// An error is recorded in the reader.
    init?(_ reader: inout AttributeReader, zone: inout UInt16?) {
        var source: IPAddress?
        var destination: IPAddress?
        var transport: UInt8?
        var selector = SelectorParts()
        let type = reader.type
        reader.nested { tuple in
            while tuple.next() {
                switch UInt32(tuple.type) {
                case CTA_TUPLE_IP.rawValue: Self.readAddresses(&tuple, &source, &destination)
                case CTA_TUPLE_PROTO.rawValue: Self.readProtocol(&tuple, &transport, &selector)
                case CTA_TUPLE_ZONE.rawValue: zone = tuple.integer(as: UInt16.self)
                default: break
                }
            }
        }
        guard let source, let destination, let transport, source.isIPv4 == destination.isIPv4 else {
            reader.reject(.missingAttribute(type: type))
            return nil
        }
        self.init(
            source: source, destination: destination, transport: TransportProtocol(rawValue: transport),
            selector: selector.value)
    }

    private static func readAddresses(
        _ reader: inout AttributeReader, _ source: inout IPAddress?, _ destination: inout IPAddress?
    ) {
        reader.nested { addresses in
            while addresses.next() {
                switch UInt32(addresses.type) {
                case CTA_IP_V4_SRC.rawValue: source = addresses.integer(as: UInt32.self).map(IPAddress.v4)
                case CTA_IP_V4_DST.rawValue: destination = addresses.integer(as: UInt32.self).map(IPAddress.v4)
                case CTA_IP_V6_SRC.rawValue: source = addresses.integer(as: UInt128.self).map(IPAddress.v6)
                case CTA_IP_V6_DST.rawValue: destination = addresses.integer(as: UInt128.self).map(IPAddress.v6)
                default: break
                }
            }
        }
    }

    private static func readProtocol(
        _ reader: inout AttributeReader, _ transport: inout UInt8?, _ selector: inout SelectorParts
    ) {
        reader.nested { parts in
            while parts.next() {
                switch UInt32(parts.type) {
                case CTA_PROTO_NUM.rawValue: transport = parts.integer(as: UInt8.self)
                case CTA_PROTO_SRC_PORT.rawValue: selector.source = parts.integer(as: UInt16.self)
                case CTA_PROTO_DST_PORT.rawValue: selector.destination = parts.integer(as: UInt16.self)
                case CTA_PROTO_ICMP_ID.rawValue, CTA_PROTO_ICMPV6_ID.rawValue:
                    selector.identifier = parts.integer(as: UInt16.self)
                case CTA_PROTO_ICMP_TYPE.rawValue, CTA_PROTO_ICMPV6_TYPE.rawValue:
                    selector.type = parts.integer(as: UInt8.self)
                case CTA_PROTO_ICMP_CODE.rawValue, CTA_PROTO_ICMPV6_CODE.rawValue:
                    selector.code = parts.integer(as: UInt8.self)
                default: break
                }
            }
        }
    }

    private struct SelectorParts {
        var source: UInt16?
        var destination: UInt16?
        var type: UInt8?
        var code: UInt8?
        var identifier: UInt16?

        var value: Selector {
            if let source, let destination { return .ports(source: source, destination: destination) }
            if let type, let code, let identifier { return .icmp(type: type, code: code, identifier: identifier) }
            return .none
        }
    }

    /// Appends the tuple as CTA_TUPLE_ORIG or CTA_TUPLE_REPLY.
    func write(as type: ctattr_type, to writer: inout AttributeWriter) {
        writer.putNested(UInt16(type.rawValue)) { tuple in
            tuple.putNested(UInt16(CTA_TUPLE_IP.rawValue)) { addresses in
                let isIPv4 = source.isIPv4
                addresses.put(UInt16((isIPv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC).rawValue), source)
                addresses.put(UInt16((isIPv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST).rawValue), destination)
            }
            tuple.putNested(UInt16(CTA_TUPLE_PROTO.rawValue)) { parts in
                parts.put(UInt16(CTA_PROTO_NUM.rawValue), transport.rawValue)
                writeSelector(to: &parts)
            }
        }
    }

    private func writeSelector(to parts: inout AttributeWriter) {
        switch selector {
        case .ports(let source, let destination):
            parts.put(UInt16(CTA_PROTO_SRC_PORT.rawValue), source, order: .network)
            parts.put(UInt16(CTA_PROTO_DST_PORT.rawValue), destination, order: .network)
        case .icmp(let type, let code, let identifier):
            let isVersion6 = transport == .icmpv6
            parts.put(
                UInt16((isVersion6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID).rawValue), identifier, order: .network)
            parts.put(UInt16((isVersion6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE).rawValue), type)
            parts.put(UInt16((isVersion6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE).rawValue), code)
        case .none: break
        }
    }
}

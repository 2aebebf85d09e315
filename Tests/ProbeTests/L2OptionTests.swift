import ArgumentParser
import LinuxKernel
import NetworkAddresses
import STAMPWire
import Testing

@testable import FastAFPacket
@testable import probe

private let station = ["--interface", "eth0", "--transport", "l2", "--peer", "02:00:00:00:00:02"]

/// The message that rejects the options; `nil` if they are accepted.
private func rejection<Command: ParsableCommand>(_ command: Command.Type, _ arguments: [String]) -> String? {
    do {
        _ = try command.parse(arguments)
        return nil
    } catch {
        #expect(command.exitCode(for: error).rawValue == 64)
        return command.message(for: error)
    }
}

@Suite struct L2OptionTests {
    @Test func `With l2 the peer's MAC address is enough, and frames are ordinary and untagged`() throws {
        let command = try RunCommand.parse(station)
        #expect(command.peer == [.station(MACAddress(rawValue: 0x0200_0000_0002))])
        #expect("\(command.peer[0])" == "02:00:00:00:00:02")
        #expect(command.common.shape == .ordinary && command.tag == nil)
    }

    @Test(arguments: [
        (["--vlan", "7"], VLANTag(priority: 0, dropEligible: false, identifier: 7)),
        (["--priority", "0"], VLANTag(priority: 0, dropEligible: false, identifier: 0)),
        (["--priority", "7"], VLANTag(priority: 7, dropEligible: false, identifier: 0)),
        (["--vlan", "4094", "--priority", "5"], VLANTag(priority: 5, dropEligible: false, identifier: 4094)),
        (["--vlan", "0"], VLANTag(priority: 0, dropEligible: false, identifier: 0)),
    ])
    func `VLAN or priority, or both, make a tag`(_ options: [String], _ tag: VLANTag) throws {
        #expect(try RunCommand.parse(station + options).tag == tag)
    }

    @Test(arguments: [
        (["--dscp", "46"], "--dscp"), (["--ttl", "7"], "--ttl"), (["--source", "192.0.2.1"], "--source"),
        (["--next-hop", "192.0.2.1"], "--next-hop"), (["--mac", "02:00:00:00:00:03"], "--mac"),
        (["--vlan", "4095"], "--vlan"), (["--vlan", "-1"], "--vlan"), (["--vlan", "65536"], "--vlan"),
        (["--priority", "8"], "--priority"), (["--priority", "-1"], "--priority"), (["--frame", "odd"], "--frame"),
    ])
    func `Options that need IP, and values outside their limits, are rejected`(
        _ options: [String], _ part: String
    ) throws {
        let message = try #require(rejection(RunCommand.self, station + options))
        #expect(message.contains(part), "\(message)")
    }

    @Test(arguments: [
        ("192.0.2.2", "MAC address"), ("fe80::1", "MAC address"), ("ff:ff:ff:ff:ff:ff", "one station"),
        ("01:1b:19:00:00:00", "one station"), ("00:00:00:00:00:00", "one station"),
    ])
    func `A peer that is no station's MAC address is rejected`(_ peer: String, _ part: String) throws {
        let message = try #require(
            rejection(RunCommand.self, ["--interface", "eth0", "--transport", "l2", "--peer", peer]))
        #expect(message.contains("--peer") && message.contains(part), "\(message)")
    }

    @Test(arguments: ["packet", "udp"])
    func `With IP a MAC address as the peer, and the options of l2, are rejected`(_ transport: String) throws {
        let ip = ["--interface", "eth0", "--transport", transport, "--peer"]
        let message = try #require(rejection(RunCommand.self, ip + ["02:00:00:00:00:02"]))
        #expect(message.contains("--transport l2"))
        for option in [["--frame", "ordinary"], ["--frame", "ptp"], ["--vlan", "0"], ["--priority", "0"]] {
            let message = try #require(rejection(RunCommand.self, ip + ["192.0.2.2"] + option))
            #expect(message.contains("\(option[0]) needs --transport l2"), "\(message)")
        }
    }

    @Test func `A reflector accepts --frame and --vlan only with l2, and --allow only with IP`() throws {
        let l2 = ["--interface", "eth0", "--transport", "l2"]
        let command = try ReflectCommand.parse(l2 + ["--frame", "ptp", "--vlan", "7"])
        #expect(command.common.shape == .ptp && command.common.vlan == 7)
        let message = try #require(rejection(ReflectCommand.self, l2 + ["--allow", "192.0.2.0/24"]))
        #expect(message.contains("--allow"))
        for option in [["--frame", "ptp"], ["--vlan", "7"]] {
            let message = try #require(rejection(ReflectCommand.self, ["--interface", "eth0"] + option))
            #expect(message.contains("\(option[0]) needs --transport l2"))
        }
    }

    @Test func `The largest packet is the MTU without the headers`() {
        let station = Peer.station(.broadcast)
        #expect(station.room(mtu: 1500, shape: .ordinary) == 1488)
        #expect(station.room(mtu: 1500, shape: .ptp) == 1440)
        #expect(station.room(mtu: 1501, shape: .ptp) == 1440, "a TLV's length is even")
        #expect(Peer.ip(.v4(1)).room(mtu: 1500, shape: .ptp) == 1472)
        #expect(Peer.ip(.v6(1)).room(mtu: 1500, shape: .ordinary) == 1452)
    }

    @Test func `Different stations have different addresses, and a station always the same`() {
        let addresses = [0x0200_0000_0001, 0x0200_0000_0002, 0x0000_0000_0001, 0x0200_0100_0001].map {
            Peer.station(MACAddress(rawValue: $0)).address
        }
        #expect(Set(addresses).count == addresses.count)
        #expect(Peer.station(MACAddress(rawValue: 0x0200_0000_0001)).address == addresses[0])
    }

    @Test(arguments: L2FrameShape.allCases) func `The filter compiles with and without peer and port`(
        _ shape: L2FrameShape
    )
        throws
    {
        for peer in [nil, MACAddress(rawValue: 0x0200_0000_0001)] {
            for port in [nil, UInt16(862)] {
                let ethernet = EthernetSetting(shape: shape, peer: peer)
                let filter = try ethernet.filter(ports: 65535...65535, from: port)
                #expect(filter.instructions.contains { $0.k == 0x4F57_4C32 })
                #expect(filter.instructions.contains { $0.k == UInt32(shape.etherType) })
            }
        }
    }
}

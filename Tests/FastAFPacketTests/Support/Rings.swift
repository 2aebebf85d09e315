import FastAFPacket
import LinuxKernel

extension VethPair {
    /// A small ring on one side, for the tests' ethertype by default, whose reads wait for five seconds.
    func ring(
        _ side: Side, _ change: (inout PacketRing.Configuration) -> Void = { _ in }
    ) throws(SystemError) -> PacketRing {
        try ring(side, on: interface(side), change)
    }

    /// A small ring on any interface of that side, or on all of them.
    func ring(
        _ side: Side, on interface: Interface?, _ change: (inout PacketRing.Configuration) -> Void = { _ in }
    ) throws(SystemError) -> PacketRing {
        var configuration = PacketRing.Configuration()
        configuration.frameSize = 2048
        configuration.blockSize = 16384
        configuration.blockCount = 8
        configuration.blockTimeout = .milliseconds(1)
        configuration.pollTimeout = .seconds(5)
        configuration.etherType = testEtherType
        change(&configuration)
        return try enter(side) { () throws(SystemError) in
            try PacketRing.open(on: interface, configuration: configuration)
        }
    }
}

extension PacketRing {
    /// The numbers of the next `count` packets, read a block at a time.
    func readNumbers(_ count: Int) throws(RingError) -> [UInt32] {
        var numbers: [UInt32] = []
        while numbers.count < count { try readBlock { bytes, _ in numbers.append(number(in: bytes)) } }
        return numbers
    }
}

/// The error that `body` throws; `nil` if it throws none.
func ringError(_ body: () throws(RingError) -> Void) -> RingError? {
    do throws(RingError) {
        try body()
        return nil
    } catch {
        return error
    }
}

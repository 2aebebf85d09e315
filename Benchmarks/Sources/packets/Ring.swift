import FastAFPacket
import LinuxKernel

/// Receives by a TPACKET_V3 ring and reads each packet's length and timestamp.
func readRing(_ options: Options) throws(SystemError) {
    let ring = try PacketRing.open(on: Interface(named: options.interface), configuration: configuration)
    var packets = 0
    var sum: UInt64 = 0
    var unstamped = 0
    var measurement = Measurement(options)
    do throws(RingError) {
        while measurement.continues(after: packets) {
            packets += try ring.readBlock { _, packet in
                sum &+= UInt64(packet.length) &+ UInt64(bitPattern: packet.stamp)
                if packet.stampSource != .software { unstamped += 1 }
            }
        }
    } catch {
        throw error.systemError
    }
    let drops = try ring.socketStatistics().drops
    measurement.report(
        sum: sum, ["drops": Int(drops), "unstamped": unstamped, "waits": Int(ring.statistics.polls)])
}

/// The same geometry as the C program's ring: see packets-ring.c.
private var configuration: PacketRing.Configuration {
    var configuration = PacketRing.Configuration()
    configuration.version = .v3
    configuration.etherType = testEtherType
    configuration.blockSize = 1 << 20
    configuration.blockCount = 16
    configuration.frameSize = 2048
    configuration.blockTimeout = .milliseconds(10)
    configuration.pollTimeout = nil
    return configuration
}

extension RingError {
    fileprivate var systemError: SystemError {
        switch self {
        case .timeout: SystemError("wait for packets", code: 110)
        case .pollFailed(let error), .failed(let error): error
        }
    }
}

import ArgumentParser
import NetworkAddresses
import STAMPWire

/// A duration on the command line: 10s, 500ms, 250us, 1m, 2h. A number without a unit is in seconds.
struct TimeSpan: ExpressibleByArgument, CustomStringConvertible {
    let nanoseconds: Int64

    private static let units: [(suffix: String, factor: Double)] = [
        ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    init?(argument: String) {
        let unit = Self.units.first { argument.hasSuffix($0.suffix) }
        let digits = argument.dropLast(unit?.suffix.count ?? 0)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }), let value = Double(digits) else {
            return nil
        }
        let nanoseconds = value * (unit?.factor ?? 1e9)
        // The limit, 31 years, exceeds any run, and sums of such durations stay far below Int64.max.
        guard nanoseconds >= 0, nanoseconds < 1e18 else { return nil }
        self.nanoseconds = Int64(nanoseconds.rounded())
    }

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    var description: String {
        let unit = Self.units.last { nanoseconds % Int64($0.factor) == 0 && nanoseconds >= Int64($0.factor) }
        guard let unit else { return "\(nanoseconds)ns" }
        return "\(nanoseconds / Int64(unit.factor))\(unit.suffix)"
    }

    var defaultValueDescription: String { description }
}

extension IPAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension IPNetwork: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension MACAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Transport: ExpressibleByArgument {}
extension StampChoice: ExpressibleByArgument {}
extension L2FrameShape: ExpressibleByArgument {}
extension Console.Format: ExpressibleByArgument {}

import ArgumentParser
import STAMPSession

/// `--schedule`: the times of a session's probes.
enum ScheduleOption: Hashable, ExpressibleByArgument, CustomStringConvertible {
    case periodic
    case poisson
    case burst(UInt32)

    /// The largest burst.
    private static let burstLimit: UInt32 = 10_000

    init?(argument: String) {
        switch argument {
        case "periodic": self = .periodic
        case "poisson": self = .poisson
        default:
            guard argument.hasPrefix("burst:"), let size = UInt32(argument.dropFirst("burst:".count)),
                (1...Self.burstLimit).contains(size)
            else { return nil }
            self = .burst(size)
        }
    }

    var description: String {
        switch self {
        case .periodic: "periodic"
        case .poisson: "poisson"
        case .burst(let size): "burst:\(size)"
        }
    }

    /// The pattern of one session. Sessions with different seeds have different random times.
    func pattern(seed: UInt64) -> SchedulePattern {
        switch self {
        case .periodic: .periodic
        case .poisson: .poisson(seed: seed)
        case .burst(let size): .burst(size)
        }
    }
}

import Foundation
import Testing

/// The environment variables of docs/testing.md, "Simulation".
enum SimulationOptions {
    private static let environment = ProcessInfo.processInfo.environment
    static let seed = environment["SIMULATION_SEED"].flatMap(UInt64.init)
    static let runs = environment["SIMULATION_RUNS"].flatMap(Int.init) ?? 1_000
    static let measuresSpeed = environment["SIMULATION_SPEED"] != nil
}

/// Fails if a run's results disagree with the truth, with the seed, the scenario and the history of the probe.
@discardableResult
func verify(_ scenario: Scenario, sourceLocation: SourceLocation = #_sourceLocation) -> Checks {
    let checks = Checks.run(scenario)
    if !checks.failures.isEmpty {
        Issue.record(
            "\(checks.failures.joined(separator: "\n"))\n\(scenario)\nSIMULATION_SEED=\(scenario.seed) repeats it",
            sourceLocation: sourceLocation)
    }
    return checks
}

@Suite struct SimulationTests {
    private static let parts = 8

    @Test(.enabled(if: SimulationOptions.seed == nil, "SIMULATION_SEED selects one run"), arguments: 0..<parts)
    func `Drawn runs agree with the truth`(part: Int) {
        var losses = LossTally()
        for seed in stride(from: part, to: SimulationOptions.runs, by: Self.parts) {
            losses.add(verify(Scenario(seed: UInt64(seed))).losses)
        }
        print("simulation, part \(part): \(losses.text)")
    }

    @Test(.enabled(if: SimulationOptions.seed != nil, "SIMULATION_SEED is not set"))
    func `The run of SIMULATION_SEED agrees with the truth`() {
        guard let seed = SimulationOptions.seed else { return }
        let scenario = Scenario(seed: seed)
        print(scenario)
        print(verify(scenario).losses.text)
    }

    @Test(.enabled(if: SimulationOptions.measuresSpeed, "SIMULATION_SPEED is not set"))
    func `The simulation's speed`() {
        var scenario = Scenario.plain()
        (scenario.interval, scenario.timeout, scenario.count) = (50_000, 20_000_000, 500_000)
        let world = World(scenario)
        let duration = ContinuousClock().measure { world.run() }
        let exchanges = world.truth.deliveries.count
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        print("\(exchanges) exchanges, \(world.eventCount) events: \(Int(Double(exchanges) / seconds)) exchanges/s")
        #expect(exchanges >= 500_000)
    }
}

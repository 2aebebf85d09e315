import LinuxKernel
import Report
import STAMPSession

/// The threads of a command that exchanges packets: an endpoint, and the recorder of its rows.
struct EndpointThreads: Sendable {
    let control: EndpointControl
    let recorderStop: StopSignal
    let ring: SPSCRing<SessionEvent>

    /// - Parameter rowsPerSecond: the rows to expect.
    init(rowsPerSecond: Double) throws(ProbeError) {
        do throws(SystemError) {
            control = try EndpointControl(errorEstimate: Housekeeping.errorEstimate())
            recorderStop = try StopSignal()
        } catch {
            throw .system(error)
        }
        ring = SPSCRing(capacity: Self.ringCapacity(rowsPerSecond))
    }

    /// The ring's capacity: rows of half a second, so that a slow disk may delay the recorder that long.
    static func ringCapacity(_ rowsPerSecond: Double) -> Int {
        Int(min(Double(1 << 17), max(4096, rowsPerSecond / 2)))
    }

    /// Runs endpoint and recorder, and the listeners to paths and samples, until all have ended.
    func run(
        _ plan: EndpointPlan, _ nic: NIC, _ recorder: Handoff<Recorder>, _ pathWatch: PathWatch,
        _ sampleWatch: SampleWatch? = nil
    ) async throws -> (EndpointResult, RecorderResult) {
        async let heard = Self.listen(sampleWatch)
        async let followed = PacketThread.run(named: "probe-path") { pathWatch.run() }
        async let recorded = PacketThread.run(named: "probe-recorder") {
            var local = recorder.take()
            return local?.run() ?? RecorderResult()
        }
        do {
            let result = try await PacketThread.run(named: "probe-endpoint", isUrgent: true) { [control, ring] in
                var loop = EndpointLoop(plan, control, nic: nic, ring: ring)
                return loop.run()
            }
            sampleWatch?.stop.raise()
            pathWatch.stop.raise()
            let counts = try await heard
            _ = try await followed
            recorderStop.raise()
            var recording = try await recorded
            if let counts { recording.samples?.counts = counts }
            return (result, recording)
        } catch {
            // If a thread could not be started, the others must not wait for it.
            control.requestStop(.abort)
            pathWatch.stop.raise()
            sampleWatch?.stop.raise()
            recorderStop.raise()
            throw error
        }
    }

    private static func listen(_ sampleWatch: SampleWatch?) async throws -> SampleComparison.Counts? {
        guard let sampleWatch else { return nil }
        return try await PacketThread.run(named: "probe-psample") { sampleWatch.run() }
    }
}

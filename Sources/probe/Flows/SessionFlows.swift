import Conntrack
import LinuxKernel
import NetworkAddresses
import Report

/// Derives a session's flow changes from conntrack entries and events. It uses no sockets and no clocks.
struct SessionFlows {
    /// The reflectors' port, on this host and on the peer.
    let port: UInt16
    /// The local session-senders' ports, a range for each of their sockets.
    let localPorts: [ClosedRange<UInt16>]
    /// This host's addresses.
    var addresses: Set<IPAddress>

    /// The identity of a flow in a namespace, independent of its translation.
    private struct Key: Hashable {
        var original: FlowTuple
        var zone: UInt16?
        var namespace: Int32?
    }

    private struct State {
        var isConfirmed: Bool
        var isReplied: Bool
        var translated: FlowTuple?
        var isGone = false
        var noticed: Int64

        func isSame(as other: State) -> Bool {
            isConfirmed == other.isConfirmed && isReplied == other.isReplied && translated == other.translated
                && isGone == other.isGone
        }
    }

    private var states: [Key: State] = [:]
    /// Events that were ignored, since too many flows are followed already.
    private(set) var droppedEvents: UInt64 = 0

    /// The time for which an ended flow is kept, in nanoseconds. Later, the same ports may be another flow's.
    static let retention: Int64 = 600_000_000_000

    init(port: UInt16, localPorts: [ClosedRange<UInt16>], addresses: Set<IPAddress>) {
        self.port = port
        self.localPorts = localPorts
        self.addresses = addresses
    }

    /// Updates the state of a flow from a conntrack entry or event.
    ///
    /// - Returns: the change; nil for flows of other ports and hosts, and if nothing has changed.
    mutating func update(_ kind: FlowChange.Kind, _ flow: Flow, at time: Int64) -> FlowChange? {
        guard flow.original.transport == .udp, let isLocal = isLocal(flow) else { return nil }
        let key = Key(original: flow.original, zone: flow.zone ?? flow.originalZone, namespace: flow.namespaceID)
        var before = states[key]
        if let known = before, known.isGone, time - known.noticed > Self.retention { before = nil }
        guard before != nil || makeRoom() else {
            droppedEvents &+= 1
            return nil
        }
        var state = State(
            isConfirmed: flow.status?.contains(.confirmed) ?? true, isReplied: !flow.isUnreplied,
            translated: flow.isTranslated ? flow.translated : nil, noticed: time)
        state.isGone = kind == .gone
        // The event of a flow's end does not carry its reply status.
        if state.isGone, let before { state.isReplied = state.isReplied || before.isReplied }
        states[key] = state
        if let before, state.isSame(as: before) { return nil }
        let isRetranslated = before.map { $0.translated != state.translated } ?? false
        return FlowChange(
            before == nil || kind == .gone || before?.isGone == true ? kind : .changed, noticed: time,
            isLocalSession: isLocal, namespace: flow.namespaceID, original: text(flow.original),
            translated: state.translated.map(text),
            translatedBefore: isRetranslated ? text(before?.translated ?? flow.original) : nil,
            isConfirmed: state.isConfirmed, isReplied: state.isReplied)
    }

    /// Evicts the flow that ended first, if there are too many.
    ///
    /// - Returns: false if no flow can be evicted.
    private mutating func makeRoom() -> Bool {
        guard states.count >= FlowHistory.limit else { return true }
        let longestGone = states.filter(\.value.isGone).min { $0.value.noticed < $1.value.noticed }
        guard let longestGone else { return false }
        states[longestGone.key] = nil
        return true
    }

    /// True for the local session's flow, false for one that this host answers; nil for third-party flows, flows of
    /// earlier runs, and forwarded flows.
    private func isLocal(_ flow: Flow) -> Bool? {
        if localPorts.contains(where: { hasEnd(flow, $0) }), isOfPort(flow) { return true }
        return hasEnd(flow, port...port) ? false : nil
    }

    private func isOfPort(_ flow: Flow) -> Bool {
        [flow.original, flow.reply].contains { $0.sourcePort == port || $0.destinationPort == port }
    }

    /// Returns whether an end of the flow, before or after translation, is one of these ports on this host.
    private func hasEnd(_ flow: Flow, _ ports: ClosedRange<UInt16>) -> Bool {
        [flow.original, flow.reply].contains { tuple in
            (tuple.sourcePort.map(ports.contains) ?? false && addresses.contains(tuple.source))
                || (tuple.destinationPort.map(ports.contains) ?? false && addresses.contains(tuple.destination))
        }
    }

    private func text(_ tuple: FlowTuple) -> String {
        "\(end(tuple.source, tuple.sourcePort)) > \(end(tuple.destination, tuple.destinationPort))"
    }
}

private func end(_ address: IPAddress, _ port: UInt16?) -> String {
    "\(SocketAddress(address, port: port ?? 0))"
}

import Conntrack
import LinuxKernel
import Netlink
import Report

/// The requests of `probe conntrack` to the conntrack table of one namespace.
struct FlowQuery {
    private let namespace: String?
    private let table: ConntrackTable

    init(_ namespace: String?) throws(ProbeError) {
        OutputFile.ignoreBrokenPipes()
        self.namespace = namespace
        table = try ProbeError.system { () throws(SystemError) in try ConntrackTable(namespace: namespace) }
    }

    func list(_ selection: FlowSelection, _ style: ConntrackCommand.Style) throws(ProbeError) {
        var output = try FlowOutput(style)
        try ProbeError.conntrack { () throws(NetlinkError) in
            try table.dump { flow in
                if selection.contains(flow) { output.append(flow) }
            }
        }
        try output.finish()
    }

    /// Shows one flow.
    ///
    /// - Parameter style: `nil` prints nothing.
    func get(_ named: ConntrackCommand.Named, _ style: ConntrackCommand.Style?) throws(ProbeError) {
        let flow = try look(up: named)
        if let style { try show(flow, style) }
    }

    func delete(_ named: ConntrackCommand.Named, _ style: ConntrackCommand.Style) throws(ProbeError) {
        let flow = try look(up: named)
        let isDeleted = try ProbeError.conntrack { () throws(NetlinkError) in
            // By its ID, so that a flow that has replaced it is not deleted.
            try table.delete(flow.original, zone: named.zone, id: flow.id)
        }
        guard isDeleted else {
            throw .noSuchFlow("The flow ended before it could be deleted. Nothing was deleted.")
        }
        try show(flow, style)
    }

    private func look(up named: ConntrackCommand.Named) throws(ProbeError) -> Flow {
        let flow = try ProbeError.conntrack { () throws(NetlinkError) in
            try table.flow(ofPackets: named.tuple, zone: named.zone)
        }
        guard let flow else {
            throw .noSuchFlow(
                "No such flow is tracked in this namespace. List the tracked flows with `probe conntrack`.")
        }
        return flow
    }

    private func show(_ flow: Flow, _ style: ConntrackCommand.Style) throws(ProbeError) {
        var output = try FlowOutput(style)
        output.append(flow)
        try output.finish()
    }

    // MARK: - Counting

    func count(_ format: FlowWriter.Format) throws(ProbeError) {
        let size = try size()
        switch format {
        case .text:
            try RunOutputs.print("\(size.flows) flows" + (size.limit.map { " of at most \($0)" } ?? "") + "\n")
        case .csv:
            try RunOutputs.print("flows,limit\n\(size.flows),\(size.limit.map(String.init) ?? "")\n")
        case .json:
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("type")
            writer.value("count")
            writer.key("flows")
            writer.value(size.flows)
            writer.key("limit")
            writer.value(size.limit)
            writer.endObject()
            try RunOutputs.print(String(decoding: writer.bytes, as: UTF8.self) + "\n")
        }
    }

    /// The number of flows. Without CAP_NET_ADMIN the kernel rejects the request, but /proc/sys shows the current
    /// namespace's numbers.
    private func size() throws(ProbeError) -> ConntrackTable.Size {
        do throws(ProbeError) {
            return try ProbeError.conntrack { () throws(NetlinkError) in try table.size() }
        } catch {
            guard case .noPrivilege = error, namespace == nil, let flows = setting("count"), let limit = setting("max")
            else { throw error }
            return ConntrackTable.Size(flows: flows, limit: limit)
        }
    }

    private func setting(_ name: String) -> UInt32? {
        Host.setting("net/netfilter/nf_conntrack_\(name)").flatMap { UInt32($0) }
    }
}

extension ProbeError {
    /// Runs a request to the conntrack table.
    static func conntrack<Result>(_ body: () throws(NetlinkError) -> Result) throws(ProbeError) -> Result {
        do throws(NetlinkError) {
            return try body()
        } catch {
            throw error.code == ErrorCode.notPermitted ? .flowPrivilege : ProbeError(error)
        }
    }

    static let flowPrivilege = ProbeError.noPrivilege(
        "Reading and deleting flows needs CAP_NET_ADMIN. Run as root, or grant it once with `setcap cap_net_admin+ep` on the "
            + "executable. `probe conntrack count` needs no privilege.")
}

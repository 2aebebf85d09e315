import Conntrack
import LinuxKernel
import Netlink
import Report

/// What the commands ask of one namespace's table of flows.
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

    /// - Parameter style: `nil` shows nothing.
    func get(_ named: ConntrackCommand.Named, _ style: ConntrackCommand.Style?) throws(ProbeError) {
        let flow = try look(up: named)
        if let style { try show(flow, style) }
    }

    func delete(_ named: ConntrackCommand.Named, _ style: ConntrackCommand.Style) throws(ProbeError) {
        let flow = try look(up: named)
        let isDeleted = try ProbeError.conntrack { () throws(NetlinkError) in
            // By its id: what has come in its place meanwhile stays.
            try table.delete(flow.original, zone: named.zone, id: flow.id)
        }
        guard isDeleted else { throw .noSuchFlow("The flow ended before it could be deleted.") }
        try show(flow, style)
    }

    private func look(up named: ConntrackCommand.Named) throws(ProbeError) -> Flow {
        let flow = try ProbeError.conntrack { () throws(NetlinkError) in
            try table.flow(ofPackets: named.tuple, zone: named.zone)
        }
        guard let flow else {
            throw .noSuchFlow("No such flow is tracked here: `probe conntrack` lists those that are.")
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

    /// The kernel refuses to be asked without CAP_NET_ADMIN, but shows the own namespace's numbers to everybody.
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
    /// Runs a request about flows.
    static func conntrack<Result>(_ body: () throws(NetlinkError) -> Result) throws(ProbeError) -> Result {
        do throws(NetlinkError) {
            return try body()
        } catch {
            throw error.code == ErrorCode.notPermitted ? .flowPrivilege : ProbeError(error)
        }
    }

    static let flowPrivilege = ProbeError.noPrivilege(
        "The kernel tells of flows, and deletes them, for CAP_NET_ADMIN alone: run this as root, or once "
            + "`setcap cap_net_admin+ep` on the program. Without any privilege: `probe conntrack count`.")
}

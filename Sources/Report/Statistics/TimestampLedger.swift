/// Where the transmit timestamps of a run went: for each kind of timestamp, every packet sent is in exactly one column.
public struct TimestampLedger: Sendable, Hashable {
    /// The account of one kind of timestamp.
    public struct Kind: Sendable, Hashable {
        /// "sched", "software" or "hardware".
        public var name: String
        /// Packets whose timestamp came in time.
        public var stamped: Int
        /// Packets whose timestamp came after their row was written.
        public var late: Int
        /// Packets whose timestamp the kernel dropped because the socket's buffer was full.
        public var lostInBuffer: Int
        /// Packets that driver or NIC left out or lost, although they timestamp others.
        public var skippedByDriver: Int
        /// Packets that met a NIC which was busy with another timestamp, as its driver has counted.
        public var inFlight: Int
        /// Packets without a timestamp where none came at all, although the NIC offers them.
        public var never: Int
        /// Packets that could not be timestamped: the NIC or driver takes no such timestamp.
        public var unsupported: Int
        /// Packets whose timestamp was still awaited when the account was taken.
        public var pending: Int

        /// An account with all its columns.
        public init(
            name: String, stamped: Int = 0, late: Int = 0, lostInBuffer: Int = 0, skippedByDriver: Int = 0,
            inFlight: Int = 0, never: Int = 0, unsupported: Int = 0, pending: Int = 0
        ) {
            self.name = name
            self.stamped = stamped
            self.late = late
            self.lostInBuffer = lostInBuffer
            self.skippedByDriver = skippedByDriver
            self.inFlight = inFlight
            self.never = never
            self.unsupported = unsupported
            self.pending = pending
        }

        /// The sum of all columns: the number of packets sent, if the account balances.
        public var sum: Int {
            stamped &+ late &+ lostInBuffer &+ skippedByDriver &+ inFlight &+ never &+ unsupported &+ pending
        }

        /// The kind in tables: who takes the timestamp.
        var label: String {
            switch name {
            case "software": "driver"
            case "hardware": "NIC"
            default: name
            }
        }

        var columns: [(name: String, value: Int)] {
            [
                ("stamped", stamped), ("late", late), ("buffer", lostInBuffer), ("driver", skippedByDriver),
                ("in-flight", inFlight), ("never", never), ("unsupported", unsupported), ("pending", pending),
            ]
        }
    }

    /// Packets handed to the kernel.
    public var sent: Int
    /// An account for each kind of timestamp that was asked for.
    public var kinds: [Kind]

    /// An account of `sent` packets.
    public init(sent: Int = 0, kinds: [Kind] = []) {
        self.sent = sent
        self.kinds = kinds
    }

    /// Whether the columns of every kind add up to the packets sent.
    public var isBalanced: Bool { kinds.allSatisfy { $0.sum == sent } }

    /// Adds another socket's account, kind by kind.
    public mutating func add(_ other: TimestampLedger) {
        sent &+= other.sent
        for kind in other.kinds {
            guard let position = kinds.firstIndex(where: { $0.name == kind.name }) else {
                kinds.append(kind)
                continue
            }
            kinds[position].stamped &+= kind.stamped
            kinds[position].late &+= kind.late
            kinds[position].lostInBuffer &+= kind.lostInBuffer
            kinds[position].skippedByDriver &+= kind.skippedByDriver
            kinds[position].inFlight &+= kind.inFlight
            kinds[position].never &+= kind.never
            kinds[position].unsupported &+= kind.unsupported
            kinds[position].pending &+= kind.pending
        }
    }

    /// The account as an aligned table for people, its lines without line ends.
    ///
    /// - Parameter packets: whose timestamps they are, in a word.
    package func lines(of packets: String) -> [String] { Self.lines([(packets, self)]) }

    /// Accounts side by side: a column for each kind of timestamp, a row for each reason that has a count. Empty without
    /// kinds.
    static func lines(_ accounts: [(title: String, ledger: TimestampLedger)]) -> [String] {
        let columns = accounts.filter { $0.ledger.sent > 0 || $0.title == "probes" }.flatMap { title, ledger in
            ledger.kinds.map { (title: title, kind: $0, sent: ledger.sent) }
        }
        guard let first = columns.first else { return [] }
        var table = TextTable(labelWidth: 20, columnWidth: 10)
        table.add("transmit timestamps", columns.map(\.title))
        table.add("", columns.map(\.kind.label))
        for (index, reason) in first.kind.columns.enumerated() {
            let values = columns.map { $0.kind.columns[index].value }
            guard index == 0 || values.contains(where: { $0 > 0 }) else { continue }
            table.add(reason.name, values.map(String.init))
        }
        table.add("sum", columns.map { String($0.kind.sum) })
        table.add("sent", columns.map { String($0.sent) })
        let isBalanced = columns.allSatisfy { $0.kind.sum == $0.sent }
        return [""] + table.lines
            + (isBalanced ? [] : ["the account of timestamps does not balance: a sum differs from sent"])
    }

    /// The account as a JSON object: sent, whether it balances, and the columns of each kind.
    public var jsonValue: JSONValue {
        .object(
            [("sent", .integer(Int64(sent))), ("balanced", .bool(isBalanced))]
                + kinds.map { kind in
                    (key: kind.name, value: .object(kind.columns.map { ($0.name, .integer(Int64($0.value))) }))
                })
    }
}

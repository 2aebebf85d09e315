/// The account of a run's transmit timestamps: for each kind of timestamp, every sent packet is in exactly one column.
public struct TimestampLedger: Sendable, Hashable {
    /// The account of one kind of timestamp.
    public struct Kind: Sendable, Hashable {
        /// "sched", "software" or "hardware".
        public var name: String
        /// Packets whose timestamp arrived in time.
        public var stamped: Int
        /// Packets whose timestamp arrived after their row was written.
        public var late: Int
        /// Packets whose timestamp the kernel dropped because the socket's buffer was full.
        public var lostInBuffer: Int
        /// Packets that driver or NIC skipped or whose timestamp they lost, although they timestamp others.
        public var skippedByDriver: Int
        /// Packets that met a NIC busy with another timestamp, as its driver has counted.
        public var inFlight: Int
        /// Packets without a timestamp because none has arrived, although the NIC advertises them.
        public var never: Int
        /// Packets that could not be timestamped: the NIC or driver does not support it.
        public var unsupported: Int
        /// Packets whose timestamp was still awaited at the end.
        public var pending: Int

        /// Creates an account from its columns.
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

        /// The sum of all columns, which is the number of sent packets if the account balances.
        public var sum: Int {
            stamped &+ late &+ lostInBuffer &+ skippedByDriver &+ inFlight &+ never &+ unsupported &+ pending
        }

        /// The name of the kind in tables: the source of the timestamp.
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

    /// Packets that the kernel accepted.
    public var sent: Int
    /// An account for each requested kind of timestamp.
    public var kinds: [Kind]

    /// Creates an account of `sent` packets.
    public init(sent: Int = 0, kinds: [Kind] = []) {
        self.sent = sent
        self.kinds = kinds
    }

    /// True if the columns of every kind add up to the sent packets.
    public var isBalanced: Bool { kinds.allSatisfy { $0.sum == sent } }

    /// Adds the account of another socket.
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

    /// Returns the account as an aligned table, its lines without line ends.
    ///
    /// - Parameter packets: the name of the packets whose timestamps these are.
    package func lines(of packets: String) -> [String] { Self.lines([(packets, self)]) }

    /// Returns accounts side by side: a column for each kind of timestamp, and a row for each reason with a count;
    /// empty without kinds.
    static func lines(_ accounts: [(title: String, ledger: TimestampLedger)]) -> [String] {
        let columns = accounts.filter { $0.ledger.sent > 0 || $0.title == "probes" }.flatMap { title, ledger in
            // The title is above the first kind.
            ledger.kinds.enumerated().map { (title: $0 == 0 ? title : "", kind: $1, sent: ledger.sent) }
        }
        guard let first = columns.first else { return [] }
        var table = TextTable()
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
            + (isBalanced ? [] : ["the account of timestamps does not balance: a sum differs from the packets sent"])
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

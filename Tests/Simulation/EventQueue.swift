/// One event of the simulation: something that happens at a true time.
struct Event {
    enum Kind: UInt8 {
        /// An application runs.
        case wake
        /// A packet reaches the host of the reflector, or of a sender.
        case probeArrives, replyArrives
        /// A message with transmit timestamps enters an application's error queue.
        case stampArrives
        /// A sender is asked to stop.
        case stop
        /// The reflector ends, and starts again.
        case reflectorEnds, reflectorStarts
    }

    var time: Int64
    /// Events of one time happen in the order in which they were added.
    var order: UInt32
    var kind: Kind
    /// The application that the event concerns.
    var app: UInt16
    /// The packet or message that the event concerns.
    var index: Int32
}

/// The events to come: a binary heap.
struct EventQueue {
    private var heap: [Event] = []
    private var added: UInt32 = 0

    init() { heap.reserveCapacity(4096) }

    mutating func add(_ kind: Event.Kind, at time: Int64, app: Int, index: Int = 0) {
        let event = Event(time: time, order: added, kind: kind, app: UInt16(app), index: Int32(index))
        added &+= 1
        var place = heap.count
        heap.append(event)
        while place > 0 {
            let parent = (place - 1) >> 1
            guard Self.isBefore(event, heap[parent]) else { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = event
    }

    mutating func next() -> Event? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        let count = heap.count
        guard count > 0 else { return first }
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < count else { break }
            if child + 1 < count, Self.isBefore(heap[child + 1], heap[child]) { child += 1 }
            guard Self.isBefore(heap[child], last) else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = last
        return first
    }

    @inline(__always)
    private static func isBefore(_ left: Event, _ right: Event) -> Bool {
        left.time != right.time ? left.time < right.time : left.order < right.order
    }
}

/// A first-in, first-out queue in an array that is reused.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var first = 0

    var count: Int { elements.count - first }
    var isEmpty: Bool { first == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard first < elements.count else { return nil }
        let element = elements[first]
        first += 1
        if first == elements.count {
            elements.removeAll(keepingCapacity: true)
            first = 0
        }
        return element
    }
}

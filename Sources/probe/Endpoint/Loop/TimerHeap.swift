/// The deadlines of an endpoint's sessions: a binary heap, with the place of each session, so that a deadline can change.
struct TimerHeap {
    /// Sessions in heap order, and their places in it.
    private var order: [Int]
    private var places: [Int]
    private var deadlines: [Int64]

    /// Creates the heap of `count` sessions without deadlines.
    init(count: Int) {
        order = Array(0..<count)
        places = Array(0..<count)
        deadlines = Array(repeating: .max, count: count)
    }

    /// The session with the earliest deadline; nil without sessions.
    var first: Int? { order.first }
    /// The earliest deadline; `.max` if there is none.
    var deadline: Int64 { order.first.map { deadlines[$0] } ?? .max }

    /// Sets a session's deadline; `.max` for none. O(log count).
    mutating func set(_ session: Int, to deadline: Int64) {
        let before = deadlines[session]
        guard deadline != before else { return }
        deadlines[session] = deadline
        if deadline < before { rise(places[session]) } else { sink(places[session]) }
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard deadlines[order[place]] < deadlines[order[parent]] else { return }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in 2 * place + 1...2 * place + 2 where child < order.count {
                if deadlines[order[child]] < deadlines[order[least]] { least = child }
            }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        order.swapAt(left, right)
        places[order[left]] = left
        places[order[right]] = right
    }
}

/// A queue on one thread: what was appended first is taken first, in constant time on the whole.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var head = 0

    var first: Element? { head < elements.count ? elements[head] : nil }
    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    /// Takes the first one away, if there is one.
    mutating func removeFirst() {
        guard head < elements.count else { return }
        head += 1
        // Not each time, or all that are behind it would move each time.
        guard head > 1024, head > elements.count / 2 else { return }
        elements.removeFirst(head)
        head = 0
    }
}

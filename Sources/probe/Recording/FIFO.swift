/// A queue for one thread: first in, first out, in amortised constant time.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var head = 0

    var first: Element? { head < elements.count ? elements[head] : nil }
    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    /// Removes the first element, if there is one.
    mutating func removeFirst() {
        guard head < elements.count else { return }
        head += 1
        // Removing elements moves all later ones, so it is done rarely.
        guard head > 1024, head > elements.count / 2 else { return }
        elements.removeFirst(head)
        head = 0
    }
}

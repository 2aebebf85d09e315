import Glibc

/// Small files that the kernel generates, such as those of proc(5).
package enum TextFile {
    /// Returns the first page of a file, without trailing white space; `nil` if it can't be read.
    package static func contents(_ path: String) -> String? {
        bytes(path).map { bytes in
            let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
            return String(decoding: bytes[..<end], as: UTF8.self)
        }
    }

    /// Returns the first page of a file; `nil` if it can't be read.
    static func bytes(_ path: String) -> [UInt8]? {
        let file = Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC))
        guard file.rawValue >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let number = file.rawValue
        let length = bytes.withUnsafeMutableBytes { read(number, $0.baseAddress, $0.count) }
        return length < 0 ? nil : Array(bytes[..<length])
    }
}

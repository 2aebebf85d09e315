import Glibc

/// Small files, such as those that the kernel generates (proc(5)).
package enum TextFile {
    /// Returns the first 4,096 bytes of a file, without trailing white space; `nil` if it can't be read.
    package static func contents(_ path: String) -> String? {
        bytes(path).map { bytes in
            let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
            return String(decoding: bytes[..<end], as: UTF8.self)
        }
    }

    /// Returns the beginning of a file; `nil` if it can't be read.
    ///
    /// - Parameter limit: the largest number of bytes to read.
    package static func bytes(_ path: String, limit: Int = 4096) -> [UInt8]? {
        let file = Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC))
        guard file.rawValue >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: limit)
        let number = file.rawValue
        var count = 0
        while count < limit {
            let length = bytes.withUnsafeMutableBytes { read(number, $0.baseAddress.map { $0 + count }, limit - count) }
            if length < 0 { return nil }
            if length == 0 { break }
            count += length
        }
        return Array(bytes[..<count])
    }
}

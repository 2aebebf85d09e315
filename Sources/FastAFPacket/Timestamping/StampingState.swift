import CLinux
import Glibc
import LinuxKernel

/// The state of one NIC's timestamping that the connections of all processes share: a file in /run/probe.
///
/// The file contains a ``Record``. Two of its bytes are locks: the first one protects the state against changes by
/// others, and each user of the NIC's timestamping holds the second one as a shared lock. A user is therefore the last
/// one if it gets that lock exclusively. The locks belong to open file descriptions, so two connections of one process
/// count as two, and the kernel releases them when a process ends, however it ends. Source: F_OFD_SETLK in fcntl(2).
final class StampingState: Sendable {
    private static let changeLock: Int64 = 0
    private static let userLock: Int64 = 1
    /// The time to wait for other processes to finish their changes: a driver may reset the NIC for each.
    private static let lockTimeoutNanoseconds: Int64 = 3_000_000_000
    private static let lockPollIntervalNanoseconds: Int64 = 2_000_000

    private let place: Place
    private let file: Descriptor

    /// Opens the file, creates it and its directory if they are missing, and locks it against changes by others.
    ///
    /// - Throws: `SystemError` with the errors of mkdir(2) and open(2), EPERM if another user could change the file,
    ///   EAGAIN if another process holds the lock for too long.
    init(lockedAt place: Place) throws(SystemError) {
        self.place = place
        do throws(SystemError) {
            file = try Self.openLocked(place)
        } catch  where error.code == EACCES {
            throw error.advising("Run as root to share it.")
        }
    }

    private static func openLocked(_ place: Place) throws(SystemError) -> Descriptor {
        let deadline = ClockID.monotonic.now() + lockTimeoutNanoseconds
        repeat {
            if mkdir(place.directory, 0o755) < 0, errno != EEXIST {
                throw SystemError("create /run/probe", code: errno)
            }
            let directory = Descriptor(
                owning: try checkErrno(
                    "open /run/probe", open(place.directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)))
            try requireTrusted(directory, type: S_IFDIR)
            let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC
            let file = Descriptor(
                owning: try checkErrno(
                    "open the state of the NIC's timestamping",
                    openat(directory.rawValue, place.name, flags, 0o600)))
            try requireTrusted(file, type: S_IFREG)
            try lock(file, until: deadline)
            // The last user may have removed the file since it was opened.
            if linkCount(file) > 0 { return file }
        } while ClockID.monotonic.now() < deadline
        throw SystemError("open the state of the NIC's timestamping", code: EAGAIN)
    }

    /// - Throws: `SystemError` EPERM unless the file has this type and only this user, or root, can change it.
    private static func requireTrusted(_ file: borrowing Descriptor, type: mode_t) throws(SystemError) {
        var status = stat()
        try checkErrno("examine the state of the NIC's timestamping", fstat(file.rawValue, &status))
        guard status.st_mode & S_IFMT == type, status.st_uid == geteuid() || status.st_uid == 0,
            status.st_mode & 0o022 == 0
        else {
            throw SystemError(
                "use the state of the NIC's timestamping", code: EPERM,
                remedy: "Other users can change /run/probe: remove it.")
        }
    }

    private static func linkCount(_ file: borrowing Descriptor) -> Int {
        var status = stat()
        return fstat(file.rawValue, &status) == 0 ? Int(status.st_nlink) : 0
    }

    // MARK: - Locks

    /// Locks the state against changes by others.
    ///
    /// - Throws: `SystemError` EAGAIN if another process holds the lock for too long.
    func lock() throws(SystemError) {
        try Self.lock(file, until: ClockID.monotonic.now() + Self.lockTimeoutNanoseconds)
    }

    private static func lock(_ file: borrowing Descriptor, until deadline: Int64) throws(SystemError) {
        while true {
            let result = cl_lock_byte(file.rawValue, changeLock, CL_LOCK_EXCLUSIVE)
            if result == 0 { return }
            let error = SystemError("lock the state of the NIC's timestamping", code: -result)
            guard result == -EAGAIN else { throw error }
            guard ClockID.monotonic.now() < deadline else {
                throw error.advising("Another process holds the lock: continue or end it, if it is stopped.")
            }
            // F_OFD_SETLKW has no timeout, and a stopped process may hold the lock.
            _ = cl_ppoll(nil, 0, lockPollIntervalNanoseconds)
        }
    }

    func unlock() { _ = cl_lock_byte(file.rawValue, Self.changeLock, CL_UNLOCK) }

    /// Returns whether there is no other user. If so, this connection is none either afterwards. The state must be
    /// locked.
    func isAlone() -> Bool {
        guard cl_lock_byte(file.rawValue, Self.userLock, CL_LOCK_EXCLUSIVE) == 0 else { return false }
        leave()
        return true
    }

    /// Becomes a user, whose end the kernel shows to the others.
    func join() { _ = cl_lock_byte(file.rawValue, Self.userLock, CL_LOCK_SHARED) }

    /// Ends being a user.
    func leave() { _ = cl_lock_byte(file.rawValue, Self.userLock, CL_UNLOCK) }

    // MARK: - Contents

    /// The record of the users; `nil` if there is no record, or if it is torn, of another place, or out of range.
    ///
    /// - Parameter isAlone: true if the record's users have ended. It then counts only if they ran since this boot.
    func record(isAlone: Bool) -> Record? {
        // A byte more than a record, so that a longer file is rejected.
        var bytes = [UInt8](repeating: 0, count: Record.byteCount + 1)
        let count = pread(file.rawValue, &bytes, bytes.count, 0)
        guard count == Record.byteCount else { return nil }
        return Record(String(decoding: bytes.prefix(count), as: UTF8.self), of: place, anyBoot: !isAlone)
    }

    /// Replaces the record. It has one length and fits a page, so a process that is killed writes it whole or not.
    func write(_ record: Record) throws(SystemError) {
        let bytes = Array(record.text(at: place).utf8)
        let count = pwrite(file.rawValue, bytes, bytes.count, 0)
        guard count == bytes.count else {
            throw SystemError("write the state of the NIC's timestamping", code: count < 0 ? errno : ENOSPC)
        }
    }

    /// Removes the file, unless a new one has its name.
    func remove() {
        if Self.linkCount(file) > 0 { unlink(place.path) }
    }
}

import Glibc

/// The width of the terminal that standard output or standard error is, in columns; nil where neither is one.
///
/// Source: ioctl_tty(2), TIOCGWINSZ.
public func terminalWidth() -> Int? {
    for stream in [STDOUT_FILENO, STDERR_FILENO] {
        var size = winsize()
        if ioctl(stream, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    }
    return nil
}

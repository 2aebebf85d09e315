"""Measures programs that run at a steady rate, between two instants."""

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes import Failed

# A program has reached its rate if it sends this share of it over this time.
REACHED, PROBE_SECONDS = 0.95, 0.25


@dataclass
class Window:
    """What a program did between two instants."""

    seconds: float
    packets: int  # sent on the interface
    cpu_ns: int  # of all threads

    @property
    def cpu_ns_per_packet(self):
        return self.cpu_ns / max(1, self.packets)


def cpu_ns(pid):
    """Returns the CPU time of a process's threads in nanoseconds. Source: Documentation/scheduler/sched-stats.rst."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0])
    return total


def packets_sent(pid, interface):
    """Returns the packets that an interface in the process's namespace has sent, 0 before the process has entered that
    namespace. Source: proc_pid_net(5)."""
    for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == interface:
            return int(counters.split()[9])
    return 0


def resident_bytes(pid):
    """Returns a process's resident memory. Source: VmRSS in proc_pid_status(5)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise Failed(f"process {pid} has no memory any more")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_for_rate(process, interface, rate, timeout):
    """Waits until a process sends at this rate, after its preparations."""
    end = time.monotonic() + timeout
    packets = 0
    while time.monotonic() < end:
        with running(process):
            before, start = packets_sent(process.pid, interface), time.monotonic()
            time.sleep(PROBE_SECONDS)
            packets = (packets_sent(process.pid, interface) - before) / (time.monotonic() - start)
        if packets >= REACHED * rate:
            return
    raise Failed(f"{process.text} sent {packets:.0f} packets a second, not {rate}, after {timeout} s")


def measure(ends, seconds):
    """Returns the window of each (process, interface), all between the same two instants."""
    before = [sample(*end) for end in ends]
    time.sleep(seconds)
    after = [sample(*end) for end in ends]
    return [Window(*(late - early for early, late in zip(*pair))) for pair in zip(before, after)]


def sample(process, interface):
    with running(process):
        return time.monotonic(), packets_sent(process.pid, interface), cpu_ns(process.pid)


@contextmanager
def running(process):
    """Turns the disappearance of a process into a failed run."""
    try:
        yield
    except (FileNotFoundError, ProcessLookupError):
        raise Failed(f"{process.text} ended early: {process.error_text}") from None

"""Compares the library's packet functions with C programs that make the same system calls; run by scripts/bench."""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import results
from processes import Failed, Process, processors, wait_until_listening
from report import say
from table import Row, finish

TEST_PROTOCOL = "88b5"
LIBRARY, FLOOR = "library", "floor"
# A run is disturbed if its thread or the whole machine waited for more than this share of the time, or if more than
# this share of the packets was dropped.
DISTURBED = 0.02
ATTEMPTS = 3
# Packets of a short and a long run; the difference between the two runs is the cost of the packets.
COUNTS = (50_000, 200_000)
PACED_RATE = 1_000
PACED_COUNTS = (500, 1_500)


@dataclass
class Figure:
    name: str
    command: list
    frame_bytes: int = 64
    is_paced: bool = False

    @property
    def sends(self):
        return self.command[0] == "transmit"


FIGURES = [
    Figure("ring 64", ["ring"]),
    Figure("ring 1400", ["ring"], frame_bytes=1400),
    Figure("recvmmsg 64", ["receive"]),
    Figure("transmit 64", ["transmit"]),
    Figure("latency blocking", ["latency"], is_paced=True),
    Figure("latency busy", ["latency", "--spin"], is_paced=True),
]


class Benchmark:
    def __init__(self, options):
        self.programs = {LIBRARY: options.library, FLOOR: options.floor}
        self.flood, self.counter = options.flood, options.counter
        self.flood_namespace, self.namespace = options.namespaces
        self.macs = options.macs
        self.pairs, self.packets, self.seconds = options.pairs, options.packets, options.seconds
        self.flood_cpu, self.cpu = processors()
        self.rows = []

    def run(self, figure):
        say(figure.name)
        with self.flooding(figure):
            rows = self.measure(figure)
            if not figure.is_paced:
                rows[0].instructions = tuple(self.count_instructions(figure, side) for side in (LIBRARY, FLOOR))
            row = Row(f"allocations {figure.name}", "1")
            row.add(*(self.count_allocations(figure, side) for side in (LIBRARY, FLOOR)))
        self.rows += [*rows, row]

    def measure(self, figure):
        """Makes all pairs of runs and returns the figure's rows."""
        if figure.is_paced:
            rows = [Row(f"{figure.name} {percentile}", "ns") for percentile in results.PERCENTILES]
        else:
            rows = [Row(f"{figure.name} cpu", "ns"), Row(f"{figure.name} rate", "1/s")]
        for number in range(self.pairs):
            # Alternating, so that slow changes, such as those of the processor's frequency, favour neither.
            order = (LIBRARY, FLOOR) if number % 2 == 0 else (FLOOR, LIBRARY)
            readings, is_disturbed = self.run_pair(figure, order)
            for row, *values in zip(rows, *(self.values(figure, readings[side]) for side in (LIBRARY, FLOOR))):
                row.add(*values, is_disturbed)
        return rows

    @staticmethod
    def values(figure, reading):
        if figure.is_paced:
            return [reading.latency[percentile] for percentile in results.PERCENTILES]
        return [reading.cpu_ns / reading.packets, reading.packets * 1e9 / reading.duration_ns]

    def run_pair(self, figure, order):
        """Returns both programs' readings, and whether they were disturbed: the least disturbed of a few attempts."""
        attempts = []
        for _ in range(ATTEMPTS):
            readings, faults, worst = {}, [], 0
            for side in order:
                steal, start = steal_time(self.cpu), time.monotonic()
                reading = readings[side] = self.run_program(figure, side)
                shares = {
                    "waited for another thread": reading.waited_ns / reading.duration_ns,
                    "stolen by the hypervisor": (steal_time(self.cpu) - steal) / (time.monotonic() - start),
                    "dropped": reading.drops / reading.packets}
                worst = max(worst, *shares.values())
                faults += [f"{side} {share:.0%} {what}" for what, share in shares.items() if share > DISTURBED]
            say("  " + ", ".join(
                f"{side} {' '.join(shown(value) for value in self.values(figure, readings[side]))}"
                for side in (LIBRARY, FLOOR)) + (f"; DISTURBED: {', '.join(faults)}" if faults else ""))
            attempts.append((worst, readings, bool(faults)))
            if not faults:
                break
        _, readings, is_disturbed = min(attempts, key=lambda attempt: attempt[0])
        return readings, is_disturbed

    def run_program(self, figure, side, packets=None, prefix=(), warm_up=None, read=None):
        """Runs a program to its end. Returns its figures, or its packets and what `read` returns for the process."""
        if packets is None:
            packets = self.seconds * PACED_RATE if figure.is_paced else self.packets
        if warm_up is None:
            warm_up = PACED_RATE // 2 if figure.is_paced else packets // 10
        peer = ["--peer", self.macs[0]] if figure.sends else []
        process = Process(self.namespace, [
            "taskset", "-c", self.cpu, *prefix, self.programs[side], figure.command[0], "veth-b", *figure.command[1:],
            *peer, "--frame-bytes", figure.frame_bytes, "--packets", packets, "--warm-up", warm_up])
        try:
            process.wait(60 + packets / (PACED_RATE // 2 if figure.is_paced else 20_000))
            reading = process.read(results.reading)
            if process.process.returncode != 0:
                raise Failed(f"{' '.join(process.command)}: exit code {process.process.returncode}")
            return (reading.packets, read(process)) if read else reading
        finally:
            process.end()

    def count_instructions(self, figure, side):
        """Returns user-space instructions per packet, from the difference between two lengths of a run."""
        with tempfile.TemporaryDirectory(prefix="probe-bench-") as directory:
            prefix = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/callgrind"]
            return self.difference(
                "instructions", side, COUNTS, lambda count: self.run_program(
                    figure, side, count, prefix, 0, lambda process: results.instructions(process.error_text)))

    def count_allocations(self, figure, side):
        """Returns allocations per packet, measured in the same way."""
        with tempfile.TemporaryDirectory(prefix="probe-bench-") as directory:
            file = Path(directory, "counts")
            prefix = ["env", f"LD_PRELOAD={self.counter}", f"PROBE_ALLOCATION_FILE={file}"]
            return self.difference(
                "allocations", side, PACED_COUNTS if figure.is_paced else COUNTS, lambda count: self.run_program(
                    figure, side, count, prefix, 0, lambda _: sum(results.allocations(file.read_text()).values())))

    @staticmethod
    def difference(what, side, counts, run):
        (short, less), (long, more) = (run(count) for count in counts)
        say(f"  {what}, {side}: {more - less} more for {long - short} more packets")
        return (more - less) / (long - short)

    @contextmanager
    def flooding(self, figure):
        """Floods the reader meanwhile; a sender needs no flood, and no receiver."""
        if figure.sends:
            yield
            return
        rate = ["--rate", PACED_RATE] if figure.is_paced else []
        flood = Process(self.flood_namespace, [
            "taskset", "-c", self.flood_cpu, self.flood, "veth-a", self.macs[1], "--frame-bytes", figure.frame_bytes,
            *rate])
        try:
            yield
            if flood.process.poll() is not None:
                raise Failed(f"the flood ended early: {flood.error_text}")
        finally:
            flood.end()


def steal_time(cpu):
    """Returns the seconds for which the hypervisor withheld the processor. Source: /proc/stat in proc(5)."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *values = line.split()
        if name == f"cpu{cpu}":
            return int(values[7]) / 100
    return 0


def shown(value):
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def main():
    parser = argparse.ArgumentParser()
    for name in ("--library", "--floor", "--flood", "--counter"):
        parser.add_argument(name, required=True)
    for name in ("--namespaces", "--macs"):
        parser.add_argument(name, nargs=2, required=True)
    for name in ("--pairs", "--packets", "--seconds"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--only", action="append", choices=[figure.name for figure in FIGURES])
    parser.add_argument("--json")
    options = parser.parse_args()
    # Raises an exception, so that the running programs are ended first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    benchmark = Benchmark(options)
    say(f"flood on processor {benchmark.flood_cpu}, measured programs on processor {benchmark.cpu}")
    if benchmark.cpu == benchmark.flood_cpu:
        say("WARNING: both share one processor: do not compare these figures with those of two processors")
    failures = []
    for figure in FIGURES:
        if options.only and figure.name not in options.only:
            continue
        try:
            benchmark.run(figure)
        except Failed as error:
            say(f"  FAILED: {error}")
            failures.append(figure.name)
    finish(benchmark.rows, options.json, failures)


if __name__ == "__main__":
    main()

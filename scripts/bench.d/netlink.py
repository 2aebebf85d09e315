"""Compares the netlink libraries with C programs; run by scripts/bench."""

import argparse
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import results
from processes import Failed, Process, processors
from report import say
from table import Row, finish

LIBRARY, FLOOR = "library", "floor"
SAMPLES = 2_000_000
# Samples of a short and a long run; the difference between the two runs is the cost of the samples.
COUNTS = (20_000, 120_000)
# Bytes of the packet in a sample.
DATA_BYTES = 128
# Flows of a small and a large table; the difference between the two is the cost of the flows.
TABLES = (1_000, 100_000)
RULES = """table inet bench {
    chain out {
        type filter hook output priority 0
        ct state new counter
    }
}
"""


def attribute(number, payload):
    length = 4 + len(payload)
    return struct.pack("=HH", length, number) + payload + bytes(-length % 4)


def tunnel():
    """Returns every key of a tunnel over IPv6. Source: PSAMPLE_TUNNEL_KEY_ATTR_* in linux/psample.h."""
    keys = [
        (0, struct.pack(">Q", 99)),
        (12, bytes.fromhex("20010db8000000000000000000000001")),
        (13, bytes.fromhex("20010db8000000000000000000000002")),
        (3, b"\x10"), (4, b"\x40"), (5, b""), (6, b""), (7, b""),
        (9, struct.pack(">H", 4789)), (10, struct.pack(">H", 4789)),
        (8, bytes(8)), (16, b""),
    ]
    return b"".join(attribute(*key) for key in keys)


def sample():
    """Returns a psample message with every attribute of Linux 6.12, in the kernel's order."""
    attributes = [
        (0, struct.pack("=H", 2)), (1, struct.pack("=H", 3)), (5, struct.pack("=I", 10)),
        (2, struct.pack("=I", 1500)), (3, struct.pack("=I", 5)), (4, struct.pack("=I", 17)),
        (10, struct.pack("=H", 6)), (11, struct.pack("=Q", 4096)), (12, struct.pack("=Q", 1200)),
        (13, struct.pack("=Q", 1_700_000_000_123_456_789)), (14, struct.pack("=H", 0x800)),
        (7, struct.pack("=I", 4)), (6, bytes(range(DATA_BYTES))), (8 | 0x8000, tunnel()),
        (15, bytes(8)), (16, b""),
    ]
    payload = struct.pack("=BBH", 0, 1, 0) + b"".join(attribute(*each) for each in attributes)
    return struct.pack("=IHHII", 16 + len(payload), 0x20, 0, 0, 0) + payload


@dataclass
class Dump:
    wall_ms: float
    cpu_ms: float
    memory: int  # maximum resident set, in KiB


class Benchmark:
    def __init__(self, options, directory):
        self.options, self.directory = options, Path(directory)
        self.cpu = processors()[1]
        self.rows = []

    def decode_samples(self):
        file = self.directory / "sample"
        file.write_bytes(sample())
        commands = {LIBRARY: [self.options.library, "sample", file], FLOOR: [self.options.sample_floor, file]}
        cost = Row("sample decode", "ns")
        for number in range(self.options.pairs):
            order = (LIBRARY, FLOOR) if number % 2 == 0 else (FLOOR, LIBRARY)
            read = {side: self.run([*commands[side], SAMPLES]) for side in order}
            if read[LIBRARY]["sum"] != read[FLOOR]["sum"]:
                raise Failed(f"library and floor read different values: {read}")
            cost.add(*(read[side]["cpu_ns"] / read[side]["samples"] for side in (LIBRARY, FLOOR)))
        cost.instructions = tuple(
            self.difference(lambda count, side=side: self.instructions([*commands[side], count]))
            for side in (LIBRARY, FLOOR))
        allocations = Row("allocations sample", "1")
        allocations.add(*(
            self.difference(lambda count, side=side: self.allocations([*commands[side], count]))
            for side in (LIBRARY, FLOOR)))
        self.rows += [cost, allocations]

    def dump_flows(self):
        """Writes every flow as a line of text to a file, with `probe conntrack` and with `conntrack -L`."""
        few, many = TABLES
        cost, cpu, memory = Row("conntrack dump", "ms"), Row("conntrack dump cpu", "ms"), Row("conntrack dump memory", "KiB")
        growth = Row(f"conntrack dump memory {few}", "KiB")
        allocations = Row("allocations conntrack dump", "1")
        self.fill(few)
        growth.add(*(self.dump(side, few).memory for side in (LIBRARY, FLOOR)))
        counts = {(side, few): self.dump_allocations(side) for side in (LIBRARY, FLOOR)}
        self.fill(many)
        for number in range(self.options.pairs):
            order = (LIBRARY, FLOOR) if number % 2 == 0 else (FLOOR, LIBRARY)
            read = {side: self.dump(side, many) for side in order}
            for row, value in ((cost, "wall_ms"), (cpu, "cpu_ms"), (memory, "memory")):
                row.add(*(getattr(read[side], value) for side in (LIBRARY, FLOOR)))
        counts |= {(side, many): self.dump_allocations(side) for side in (LIBRARY, FLOOR)}
        allocations.add(*((counts[side, many] - counts[side, few]) / (many - few) for side in (LIBRARY, FLOOR)))
        self.rows += [cost, cpu, memory, growth, allocations]

    def fill(self, count):
        """Fills the namespace's table with `count` flows."""
        file = self.directory / "flows"
        file.write_text("".join(
            f"-A -p udp -s 10.{number >> 16}.{number >> 8 & 255}.{number & 255} -d 192.0.2.2"
            f" --sport {1024 + number % 60000} --dport 862 -t 3000\n" for number in range(count)))
        self.inside(["conntrack", "-F"])
        self.inside(["conntrack", "-R", file])

    def dump(self, side, expected):
        output = self.directory / "dump"
        with output.open("wb") as file:
            start = time.monotonic()
            # time(1), since the memory that wait4() reports includes this interpreter's before exec.
            process = subprocess.Popen(
                self.dump_command(side, ["time", "-f", "%M", "-o", self.directory / "memory"]), stdout=file,
                stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        lines = sum(1 for _ in output.open("rb"))
        if process.returncode != 0 or lines != expected:
            raise Failed(f"{side}: exit code {process.returncode}, {lines} lines, expected {expected}")
        memory = int((self.directory / "memory").read_text())
        return Dump(wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, memory)

    def dump_command(self, side, prefix=()):
        command = [self.options.probe, "conntrack", "list"] if side == LIBRARY else ["conntrack", "-L"]
        return list(map(str, ["ip", "netns", "exec", self.options.namespace, "taskset", "-c", self.cpu, *prefix, *command]))

    def dump_allocations(self, side):
        file = self.directory / "counts"
        prefix = ["env", f"LD_PRELOAD={self.options.counter}", f"PROBE_ALLOCATION_FILE={file}"]
        subprocess.run(self.dump_command(side, prefix), capture_output=True, check=True)
        return sum(results.allocations(file.read_text()).values())

    def storm(self):
        """Creates flows at a rate. Each event is received, or counted as lost or as left out."""
        self.inside(["conntrack", "-F"])
        self.inside(["nft", "-f", "-"], RULES)
        for limit in (0, 10_000):
            follow = Process(self.options.namespace, [
                "taskset", "-c", self.cpu, self.options.probe, "conntrack", "follow", "--protocol", "tcp", "--output",
                "json", "--limit", limit])
            try:
                self.wait_until_listening(follow)
                flows = json.loads(self.inside([
                    "taskset", "-c", processors()[0], self.options.flows, self.options.rate, self.options.rate * 4]))
                self.wait_until_drained(follow)
                follow.end()
                heard = json.loads(follow.read(lambda text: text.strip().splitlines()[-1]))
            finally:
                follow.end()
            made = flows["flows"]
            known = heard["received"] + heard["lost"] + heard["left_out"] + heard["malformed"]
            say(f"  limit {limit}: {made} flows, {made * 1e9 / flows['duration_ns']:.0f} a second: "
                f"received {heard['received']}, lost by the full buffer {heard['lost']}, left out {heard['left_out']}"
                f"{' (estimated)' if heard['left_out_is_estimate'] else ''}, unaccounted {made - known}")
            row = Row(f"conntrack storm, limit {limit or 'none'}", "1")
            row.add(known, made)
            self.rows.append(row)
            self.inside(["conntrack", "-F"])

    def wait_until_listening(self, process):
        """Waits until a netfilter socket has joined a group."""
        self.wait_until("it does not listen", process, lambda: self.subscribers())

    def wait_until_drained(self, process):
        """Waits until the sockets' buffers are empty. The kernel queues a flow's event before its sender continues."""
        self.wait_until("it does not read its events", process, lambda: all(
            int(row[4]) == 0 for row in self.subscribers()))

    def subscribers(self):
        """Returns the rows of netfilter sockets that have joined a group.

        Source: netlink_seq_show in net/netlink/af_netlink.c.
        """
        rows = [line.split() for line in self.inside(["cat", "/proc/net/netlink"]).splitlines()[1:]]
        return [row for row in rows if row[1] == "12" and int(row[3], 16)]

    @staticmethod
    def wait_until(complaint, process, condition):
        end = time.monotonic() + 15
        while time.monotonic() < end and process.process.poll() is None:
            if condition():
                return
            time.sleep(0.02)
        raise Failed(f"{complaint}: {process.error_text}")

    def inside(self, command, text=None):
        ended = subprocess.run(
            ["ip", "netns", "exec", self.options.namespace, *map(str, command)], input=text, capture_output=True,
            text=True, timeout=120, check=False)
        if ended.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: exit code {ended.returncode}\n{ended.stderr[-2000:]}")
        return ended.stdout

    def run(self, command, prefix=()):
        return json.loads(self.process([*prefix, *command]).stdout)

    def process(self, command):
        text = ["taskset", "-c", self.cpu, *map(str, command)]
        ended = subprocess.run(list(map(str, text)), capture_output=True, text=True, timeout=600, check=False)
        if ended.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: exit code {ended.returncode}\n{ended.stderr[-2000:]}")
        return ended

    def instructions(self, command):
        output = f"--callgrind-out-file={self.directory}/callgrind"
        return results.instructions(self.process(["valgrind", "--tool=callgrind", output, *command]).stderr)

    def allocations(self, command):
        file = self.directory / "counts"
        self.process(["env", f"LD_PRELOAD={self.options.counter}", f"PROBE_ALLOCATION_FILE={file}", *command])
        return sum(results.allocations(file.read_text()).values())

    @staticmethod
    def difference(count):
        few, many = COUNTS
        return (count(many) - count(few)) / (many - few)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--library", "--sample-floor", "--counter", "--probe", "--flows", "--namespace"):
        parser.add_argument(name, required=True)
    for name in ("--pairs", "--rate"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--json")
    options = parser.parse_args()
    # Raises an exception, so that the running programs are ended first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    with tempfile.TemporaryDirectory(prefix="probe-bench-") as directory:
        benchmark = Benchmark(options, directory)
        failures = []
        for name, measure in (
                ("sample", benchmark.decode_samples), ("conntrack dump", benchmark.dump_flows),
                ("conntrack storm", benchmark.storm)):
            say(name)
            try:
                measure()
            except Failed as error:
                say(f"  FAILED: {error}")
                failures.append(name)
    finish(benchmark.rows, options.json, failures)


if __name__ == "__main__":
    main()

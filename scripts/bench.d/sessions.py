"""Measures many sessions of one process, against one session; run by scripts/bench."""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import results
import steady
from figures import Figures
from processes import Failed, Process, processors, wait_until_listening
from report import say, text, tidy

# Exchanges a second of all sessions.
RATE = 20_000
# A run takes this much longer than its window, for its preparations and its end.
MARGIN_SECONDS = 17
PREPARATION_SECONDS = 15
SOAK_SESSIONS, SOAK_STEP_SECONDS = 100, 10
SENDER_ADDRESS, PREFIX_LENGTH = "198.18.0.1", 15
PERCENTILES = ("p50", "p99")
UNITS = {"descriptors": "1", "resident": "B", "lost": "1", "skipped": "1"}
UNCOMPARED = ("lost", "skipped")


def peer_address(index):
    return f"198.18.{1 + index // 250}.{1 + index % 250}"


class Network:
    """A pair of namespaces with many addresses at the reflector's end."""

    def __init__(self, options):
        self.probe = options.probe
        self.sender_namespace, self.reflector_namespace = options.namespaces
        self.sender_cpu, self.reflector_cpu = processors()

    def add_addresses(self, count, macs):
        """Adds the addresses, and permanent neighbours, so that no ARP request disturbs a run."""
        peers = [peer_address(index) for index in range(count)]
        batch(self.sender_namespace, [
            f"address add {SENDER_ADDRESS}/{PREFIX_LENGTH} dev veth-a",
            *[f"neighbour replace {peer} lladdr {macs[1]} dev veth-a nud permanent" for peer in peers]])
        batch(self.reflector_namespace, [
            *[f"address add {peer}/{PREFIX_LENGTH} dev veth-b" for peer in peers],
            f"neighbour replace {SENDER_ADDRESS} lladdr {macs[0]} dev veth-b nud permanent"])

    @contextmanager
    def running(self, count, seconds):
        """Runs `count` sessions for a time, against one reflector. Yields the sender's process."""
        with tempfile.NamedTemporaryFile("w", prefix="probe-bench-", suffix=".peers") as peers:
            peers.writelines(f"{peer_address(index)} peer-{index + 1}\n" for index in range(count))
            peers.flush()
            reflector = Process(self.reflector_namespace, [
                "taskset", "-c", self.reflector_cpu, self.probe, "reflect", "-i", "veth-b", "--quiet"])
            sender = None
            try:
                wait_until_listening(reflector, self.reflector_namespace)
                sender = Process(self.sender_namespace, [
                    "taskset", "-c", self.sender_cpu, self.probe, "run", "-i", "veth-a", "--peers", peers.name,
                    "--rate", f"{RATE / count:g}", "--duration", f"{seconds}s", "--quiet", "--output", "json"])
                yield sender
            finally:
                if sender:
                    sender.end()
                reflector.end()


def batch(namespace, commands):
    subprocess.run(
        ["ip", "-n", namespace, "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)


class Benchmark:
    def __init__(self, network, sessions, seconds, rounds):
        self.network, self.sessions, self.seconds, self.rounds = network, sessions, seconds, rounds
        self.figures = Figures()

    def run(self):
        say(f"sender on processor {self.network.sender_cpu}, reflector on processor {self.network.reflector_cpu}")
        for number in range(1, self.rounds + 1):
            say(f"round {number} of {self.rounds}")
            readings = {count: self.measure(count) for count in self.sessions}
            for count, reading in readings.items():
                self.record(count, reading, readings.get(1))

    def measure(self, count):
        seconds = self.seconds + MARGIN_SECONDS
        with self.network.running(count, seconds) as sender:
            steady.wait_for_rate(sender, "veth-a", RATE, PREPARATION_SECONDS)
            [window] = steady.measure([(sender, "veth-a")], self.seconds)
            with steady.running(sender):
                reading = {
                    "cpu": window.cpu_ns_per_packet, "descriptors": steady.descriptors(sender.pid),
                    "resident": steady.resident_bytes(sender.pid)}
            sender.wait(seconds + 60)
            result = read(sender, count)
        reading |= {"lost": result.lost, "skipped": result.skipped}
        reading |= {f"lateness {name}": result.lateness.get(name) for name in PERCENTILES}
        say(f"  {count} sessions: " + ", ".join(f"{name} {text(tidy(value))}" for name, value in reading.items()))
        return reading

    def record(self, count, reading, single):
        for name, value in reading.items():
            is_compared = single and name not in UNCOMPARED
            figure = self.figures.get(f"sessions {count} {name}", UNITS.get(name, "ns"))
            figure.add(value, single[name] if is_compared else None)
        if single and count > 1:
            each = (reading["resident"] - single["resident"]) / (count - 1)
            self.figures.get(f"sessions {count} resident, each", "B").add(each)

    def soak(self, minutes):
        """Measures whether a long run's memory grows."""
        sizes = []
        seconds = minutes * 60
        with self.network.running(SOAK_SESSIONS, seconds + MARGIN_SECONDS) as sender:
            steady.wait_for_rate(sender, "veth-a", RATE, PREPARATION_SECONDS)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                with steady.running(sender):
                    sizes.append(steady.resident_bytes(sender.pid))
                say(f"  {len(sizes) * SOAK_STEP_SECONDS - SOAK_STEP_SECONDS} s: {sizes[-1] / 1e6:.1f} MB")
                time.sleep(SOAK_STEP_SECONDS)
            sender.wait(seconds + 60)
            result = read(sender, SOAK_SESSIONS)
        for name, value in (("first", sizes[0]), ("last", sizes[-1]), ("max", max(sizes))):
            self.figures.get(f"soak resident, {name}", "B").add(value, sizes[0])
        self.figures.get("soak lost", "1").add(result.lost)


def read(sender, count):
    """Reads the summaries of a run's sessions."""
    result = sender.read(results.sessions)
    if result.count != count:
        raise Failed(f"{result.count} summaries of {count} sessions\n{sender.error_text}")
    for fault in result.faults[:10]:
        say(f"  TIMESTAMPS: {fault}")
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", required=True)
    for name in ("--namespaces", "--macs"):
        parser.add_argument(name, nargs=2, required=True)
    parser.add_argument("--sessions", type=int, nargs="+", required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--soak", type=int, metavar="MINUTES")
    parser.add_argument("--json")
    options = parser.parse_args()
    # Raises an exception, so that the running programs are ended first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    network = Network(options)
    network.add_addresses(max(SOAK_SESSIONS, *options.sessions), options.macs)
    benchmark = Benchmark(network, options.sessions, options.seconds, options.rounds)
    failure = None
    try:
        if options.soak:
            benchmark.soak(options.soak)
        else:
            benchmark.run()
    except Failed as error:
        failure = error
    benchmark.figures.finish(options.json, failure, compared="at start" if options.soak else "one")


if __name__ == "__main__":
    main()

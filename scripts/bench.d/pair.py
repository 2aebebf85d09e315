"""Runs a pair of programs, one in each namespace, and reads their output."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import results
from processes import Failed, Process, processors, wait_until_listening

SENDER_ADDRESS, REFLECTOR_ADDRESS = "192.0.2.1", "192.0.2.2"


@dataclass
class Run:
    sender: results.Half
    reflector: results.Half

    @property
    def faults(self):
        """The reasons why the run is not one without loss, in words."""
        faults = [f"{self.sender.lost} lost"] if self.sender.lost else []
        faults += [f"sender: {fault}" for fault in self.sender.faults]
        faults += [f"reflector: {fault}" for fault in self.reflector.faults]
        if self.sender.exchanges == 0:
            faults.append("no exchange")
        return faults

    @property
    def cpu_ns(self):
        """CPU time per exchange: the sender's and the reflector's."""
        exchanges = max(1, self.sender.exchanges)
        return self.sender.cpu_ns / exchanges, self.reflector.cpu_ns / exchanges


class Pair:
    """The programs, namespaces and processors of the runs."""

    def __init__(self, options):
        self.probe = options.probe
        self.floor = options.floor
        self.counter = vars(options).get("counter")
        self.sender_namespace, self.reflector_namespace = options.namespaces
        self.peer_mac = options.peer_mac
        self.sender_cpu, self.reflector_cpu = processors()

    def run_floor(self, seconds, rate=None, watch=None):
        pace = ["--rate", rate] if rate else []
        return self._run(
            [self.floor, "sender", "veth-a", self.peer_mac, "--cpu", self.sender_cpu, "--seconds", seconds, *pace],
            [self.floor, "reflector", "veth-b", "--cpu", self.reflector_cpu],
            results.floor_half, seconds, watch)

    def run_probe(self, rate, seconds, with_log=False, watch=None):
        with tempfile.TemporaryDirectory(prefix="probe-bench-") as directory:
            log = ["--log", Path(directory, "log.csv")] if with_log else []
            return self._run(
                self._probe_sender(rate, ["--duration", f"{seconds}s", *log]), self._probe_reflector(),
                results.probe_half, seconds, watch)

    def count_allocations(self, rate, count):
        """Makes a run with a log. Returns its exchanges, and the sender's and the reflector's allocations by thread."""
        with tempfile.TemporaryDirectory(prefix="probe-bench-") as directory:
            files = [Path(directory, name) for name in ("sender", "reflector")]
            counted = [["env", f"LD_PRELOAD={self.counter}", f"PROBE_ALLOCATION_FILE={file}"] for file in files]
            run = self._run(
                self._probe_sender(rate, ["--count", count, "--log", Path(directory, "log.csv")], counted[0]),
                self._probe_reflector(counted[1]), results.probe_half, count / rate)
            missing = [file.name for file in files if not file.exists()]
            if missing:
                raise Failed(f"the allocation counter wrote nothing for the {' and the '.join(missing)}")
            return run.sender.exchanges, *[results.allocations(file.read_text()) for file in files]

    def _probe_sender(self, rate, rest, prefix=()):
        return [
            "taskset", "-c", self.sender_cpu, *prefix, self.probe, "run", "--interface", "veth-a",
            "--peer", REFLECTOR_ADDRESS, "--rate", rate, "--quiet", "--output", "json", *rest]

    def _probe_reflector(self, prefix=()):
        return [
            "taskset", "-c", self.reflector_cpu, *prefix, self.probe, "reflect", "--interface", "veth-b",
            "--quiet", "--output", "json"]

    def _run(self, sender_command, reflector_command, reader, seconds, watch=None):
        """Makes a run. `watch` is called with both processes while it lasts."""
        reflector = Process(self.reflector_namespace, reflector_command)
        try:
            wait_until_listening(reflector, self.reflector_namespace)
            sender = Process(self.sender_namespace, sender_command)
            try:
                if watch:
                    watch(sender, reflector)
                sender.wait(seconds + 30)
            finally:
                sender.end()
            reflector.end()
            return Run(sender.read(reader, True), reflector.read(reader, False))
        finally:
            reflector.end()

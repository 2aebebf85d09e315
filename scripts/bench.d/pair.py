"""Runs a pair of programs, one in each namespace, and reads what they print."""

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import results

SENDER_ADDRESS, REFLECTOR_ADDRESS = "192.0.2.1", "192.0.2.2"
IPV4 = "0800"
ALL_PROTOCOLS = "0003"


class Failed(Exception):
    """A run that gave no figures."""


@dataclass
class Run:
    sender: results.Half
    reflector: results.Half

    @property
    def faults(self):
        """What keeps the run from counting as one without loss, in words."""
        faults = [f"{self.sender.lost} lost"] if self.sender.lost else []
        faults += [f"sender: {fault}" for fault in self.sender.faults]
        faults += [f"reflector: {fault}" for fault in self.reflector.faults]
        if self.sender.exchanges == 0:
            faults.append("no exchange")
        return faults

    @property
    def cpu_ns(self):
        """Processor time for each exchange: the sender's and the reflector's."""
        exchanges = max(1, self.sender.exchanges)
        return self.sender.cpu_ns / exchanges, self.reflector.cpu_ns / exchanges


class Process:
    """A program in a namespace, whose output goes to files: no pipe that could fill up."""

    def __init__(self, namespace, command):
        self.command = [str(part) for part in command]
        self.output = tempfile.TemporaryFile("w+")
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *self.command],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.errors)

    def wait(self, timeout):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running after {timeout:.0f} s: {' '.join(self.command)}") from None

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def read(self, reader, is_sender):
        text = read_back(self.output)
        try:
            return reader(text, is_sender)
        except (results.Unreadable, KeyError, TypeError, ValueError) as error:
            code = self.process.returncode
            raise Failed(
                f"{' '.join(self.command)} (exit code {code}): {error}\n{read_back(self.errors)[-2000:]}") from None


def read_back(file):
    file.seek(0)
    return file.read()


class Pair:
    """Where and with what the runs are made."""

    def __init__(self, options):
        self.probe = options.probe
        self.floor = options.floor
        self.counter = options.counter
        self.sender_namespace, self.reflector_namespace = options.namespaces
        self.peer_mac = options.peer_mac
        allowed = sorted(os.sched_getaffinity(0))
        self.sender_cpu, self.reflector_cpu = allowed[0], allowed[1 % len(allowed)]

    def run_floor(self, seconds, rate=None):
        pace = ["--rate", rate] if rate else []
        return self._run(
            [self.floor, "sender", "veth-a", self.peer_mac, "--cpu", self.sender_cpu, "--seconds", seconds, *pace],
            [self.floor, "reflector", "veth-b", "--cpu", self.reflector_cpu],
            results.floor_half, seconds)

    def run_probe(self, rate, seconds, with_log=False):
        with tempfile.TemporaryDirectory(prefix="probe-bench-") as directory:
            log = ["--log", Path(directory, "log.csv")] if with_log else []
            return self._run(
                self._probe_sender(rate, ["--duration", f"{seconds}s", *log]), self._probe_reflector(),
                results.probe_half, seconds)

    def count_allocations(self, rate, count):
        """One run with a log: the exchanges made, and each thread's allocations in the sender and in the reflector."""
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

    def _run(self, sender_command, reflector_command, reader, seconds):
        reflector = Process(self.reflector_namespace, reflector_command)
        try:
            self._wait_until_listening(reflector)
            sender = Process(self.sender_namespace, sender_command)
            try:
                sender.wait(seconds + 30)
            finally:
                sender.end()
            reflector.end()
            return Run(sender.read(reader, True), reflector.read(reader, False))
        finally:
            reflector.end()

    def _wait_until_listening(self, reflector):
        """Until a packet socket in its namespace is bound to an interface and a protocol (/proc/net/packet)."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            table = subprocess.run(
                ["ip", "netns", "exec", self.reflector_namespace, "cat", "/proc/net/packet"],
                capture_output=True, text=True, check=True).stdout
            rows = [line.split() for line in table.splitlines()[1:]]
            if any(row[3] in (IPV4, ALL_PROTOCOLS) and row[4] != "0" for row in rows):
                return
            if reflector.process.poll() is not None:
                break
            time.sleep(0.02)
        raise Failed(f"{' '.join(reflector.command)} does not listen:\n{read_back(reflector.errors)[-2000:]}")

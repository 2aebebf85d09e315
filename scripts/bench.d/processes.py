"""Runs programs in a network namespace and reads their output."""

import os
import signal
import subprocess
import tempfile
import time

import results

IPV4 = "0800"
ALL_PROTOCOLS = "0003"


class Failed(Exception):
    """A run without figures."""


class Process:
    """A program in a namespace. Its output goes to files, since a pipe could fill up."""

    def __init__(self, namespace, command):
        self.command = [str(part) for part in command]
        self.output = tempfile.TemporaryFile("w+")
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *self.command],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.errors)

    @property
    def pid(self):
        # `ip netns exec` becomes the program.
        return self.process.pid

    @property
    def text(self):
        return " ".join(self.command)

    @property
    def error_text(self):
        return read_back(self.errors)[-2000:]

    def wait(self, timeout):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running after {timeout:.0f} s: {self.text}") from None

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def read(self, reader, *arguments):
        text = read_back(self.output)
        try:
            return reader(text, *arguments)
        except (results.Unreadable, KeyError, TypeError, ValueError) as error:
            code = self.process.returncode
            raise Failed(f"{self.text} (exit code {code}): {error}\n{self.error_text}") from None


def read_back(file):
    file.seek(0)
    return file.read()


def wait_until_listening(process, namespace, protocols=(IPV4, ALL_PROTOCOLS)):
    """Waits until a packet socket in the namespace is bound to an interface and a protocol (/proc/net/packet)."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        table = subprocess.run(
            ["ip", "netns", "exec", namespace, "cat", "/proc/net/packet"],
            capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in table.splitlines()[1:]]
        if any(row[3] in protocols and row[4] != "0" for row in rows):
            return
        if process.process.poll() is not None:
            break
        time.sleep(0.02)
    raise Failed(f"{process.text} does not listen:\n{process.error_text}")


def processors():
    """Returns the two processors that the programs are pinned to; the same one twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1 % len(allowed)]

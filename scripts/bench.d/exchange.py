"""Compares exchanges between two probes with those of the C floor; run by scripts/bench."""

import argparse
import signal
import sys

from figures import Figures
from pair import Pair
from processes import Failed
from report import say

RATES = [
    10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000, 100_000, 110_000, 120_000, 130_000, 140_000,
    150_000, 160_000, 180_000, 200_000, 220_000, 240_000, 260_000, 300_000, 350_000, 400_000]
# Rate at which the first round begins its search; each later round begins where the previous one ended.
FIRST_RATE = {False: 100_000, True: 50_000}
PACED_RATE = 1_000
# Packets of a short and a long run at this rate; the difference between the two runs is the cost of the packets.
COUNTED_RATE, COUNTS = 20_000, (10_000, 70_000)
COUNTED_THREADS = {
    "sender": (1, "probe-endpoint"), "recorder": (1, "probe-recorder"), "reflector": (2, "probe-endpoint")}
# A sender that reaches a smaller share of the requested rate is saturated.
SATURATED = 0.95


class Benchmark:
    def __init__(self, pair, seconds, rounds):
        self.pair, self.seconds, self.rounds = pair, seconds, rounds
        self.figures = Figures()
        self.begin = {with_log: RATES.index(rate) for with_log, rate in FIRST_RATE.items()}

    def run(self):
        say(f"sender on processor {self.pair.sender_cpu}, reflector on processor {self.pair.reflector_cpu}")
        if self.pair.sender_cpu == self.pair.reflector_cpu:
            say("WARNING: both share one processor: do not compare these figures with those of two processors")
        for number in range(1, self.rounds + 1):
            say(f"round {number} of {self.rounds}")
            self.measure_throughput()
            self.measure_pacing()
        say("allocations")
        self.count_allocations()

    def measure_throughput(self):
        floor = self.clean_floor("floor, 64 in flight")
        share = floor.sender.cpu_ns / max(1, floor.sender.duration_ns)
        if share < 0.9:
            say(f"  WARNING: the floor had its processor {share:.0%} of the time: other work disturbs this round")
        for with_log in (False, True):
            label = "with log" if with_log else "no log"
            run = self.fastest(with_log, label)
            figure = self.figures.get(f"exchanges per second, {label}", "1/s")
            figure.add(run.sender.rate if run else 0, floor.sender.rate)
            # At the same rate, since packets that arrive together share a system call.
            cpu = run.cpu_ns if run else (None, None)
            cpu_floor = self.clean_floor("floor, at that rate", round(run.sender.rate)).cpu_ns if run else (None, None)
            suffix = ", with log" if with_log else ""
            for half, value, least in zip(("sender", "reflector"), cpu, cpu_floor):
                self.figures.get(f"exchanges cpu ns, {half}{suffix}", "ns").add(value, least)

    def measure_pacing(self):
        floor = self.pair.run_floor(self.seconds, PACED_RATE).sender.lateness
        run = self.pair.run_probe(PACED_RATE, self.seconds).sender.lateness
        for percentile in ("p50", "p99", "p99.9"):
            figure = self.figures.get(f"exchanges paced lateness {percentile}", "ns")
            figure.add(run.get(percentile), floor.get(percentile))

    def clean_floor(self, label, rate=None):
        """Returns a run of the floor without loss, or after three attempts the last one."""
        for _ in range(3):
            run = self.pair.run_floor(self.seconds, rate)
            show_run(label, run)
            if not run.faults:
                break
        return run

    def fastest(self, with_log, label):
        """Searches for the highest rate without loss and with every timestamp. Returns its run, or None."""
        index = self.begin[with_log]
        best = self.attempt(RATES[index], with_log, label)
        if best:
            while index + 1 < len(RATES) and best.sender.rate >= SATURATED * RATES[index]:
                faster = self.attempt(RATES[index + 1], with_log, label)
                if not faster or faster.sender.rate <= best.sender.rate:
                    break
                best, index = faster, index + 1
        else:
            while not best and index > 0:
                index -= 1
                best = self.attempt(RATES[index], with_log, label)
        self.begin[with_log] = index
        return best

    def attempt(self, rate, with_log, label):
        """Returns a run without faults, of two, since the machine may be busy during one; else None."""
        for _ in range(2):
            run = self.pair.run_probe(rate, self.seconds, with_log)
            show_run(f"{label}, {rate}/s", run)
            if not run.faults:
                return run
        return None

    def count_allocations(self):
        short, long = (self.pair.count_allocations(COUNTED_RATE, count) for count in COUNTS)
        packets = long[0] - short[0]
        for name, (side, thread) in COUNTED_THREADS.items():
            if packets <= 0 or thread not in long[side] or thread not in short[side]:
                say(f"  no thread {thread} among {', '.join(long[side])}, or no packets ({packets})")
                continue
            difference = long[side][thread] - short[side][thread]
            say(f"  {thread}: {difference} more for {packets} more packets")
            self.figures.get(f"allocations per packet, {name}", "1").add(difference / packets)


def show_run(label, run):
    sender, reflector = run.cpu_ns
    verdict = ", ".join(run.faults) or "clean"
    say(f"  {label}: {run.sender.rate:.0f}/s, cpu {sender:.0f} + {reflector:.0f} ns, {verdict}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--probe", "--floor", "--counter", "--peer-mac"):
        parser.add_argument(name, required=True)
    parser.add_argument("--namespaces", nargs=2, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--json")
    options = parser.parse_args()
    # Raises an exception, so that the running programs are ended first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    benchmark = Benchmark(Pair(options), options.seconds, options.rounds)
    failure = None
    try:
        benchmark.run()
    except Failed as error:
        failure = error
    benchmark.figures.finish(options.json, failure)


if __name__ == "__main__":
    main()

"""Compares paced sessions of probe with the cheapest C programs that do the same; run by scripts/bench."""

import argparse
import signal
import sys

import steady
from figures import Figures
from pair import Pair
from processes import Failed
from report import say

# A run takes this much longer than its window, for its preparations and its end.
MARGIN_SECONDS = 4
PREPARATION_SECONDS = 3
PROBE, FLOOR = "probe", "floor"
PERCENTILES = ("p50", "p99")


class Benchmark:
    def __init__(self, pair, rates, seconds, rounds):
        self.pair, self.rates, self.seconds, self.rounds = pair, rates, seconds, rounds
        self.figures = Figures()

    def run(self):
        say(f"sender on processor {self.pair.sender_cpu}, reflector on processor {self.pair.reflector_cpu}")
        if self.pair.sender_cpu == self.pair.reflector_cpu:
            say("WARNING: both share one processor: do not compare these figures with those of two processors")
        for number in range(1, self.rounds + 1):
            say(f"round {number} of {self.rounds}")
            # Alternating, so that slow changes, such as those of the processor's frequency, favour neither.
            order = (FLOOR, PROBE) if number % 2 else (PROBE, FLOOR)
            for rate in self.rates:
                self.record(rate, {side: self.measure(side, rate) for side in order})

    def measure(self, side, rate):
        """Makes a run. Returns it and the windows of its sender and its reflector."""
        windows = []

        def watch(sender, reflector):
            steady.wait_for_rate(sender, "veth-a", rate, PREPARATION_SECONDS)
            windows.extend(steady.measure([(sender, "veth-a"), (reflector, "veth-b")], self.seconds))

        seconds = self.seconds + MARGIN_SECONDS
        run = (
            self.pair.run_floor(seconds, rate, watch) if side == FLOOR
            else self.pair.run_probe(rate, seconds, watch=watch))
        show_run(f"{side}, {rate}/s", run, windows)
        return run, windows

    def record(self, rate, sides):
        (run, windows), (floor, floor_windows) = sides[PROBE], sides[FLOOR]
        for name, window, least in zip(("run", "reflect"), windows, floor_windows):
            figure = self.figures.get(f"paced {rate} cpu, {name}", "ns")
            figure.add(window.cpu_ns_per_packet, least.cpu_ns_per_packet)
        receptions = {
            "run": (run.sender.reception, floor.sender.reception),
            "reflect": (run.sender.peer_reception, floor.reflector.reception)}
        for percentile in PERCENTILES:
            figure = self.figures.get(f"paced {rate} lateness {percentile}", "ns")
            figure.add(run.sender.lateness.get(percentile), floor.sender.lateness.get(percentile))
        for name, (values, least) in receptions.items():
            for percentile in PERCENTILES:
                figure = self.figures.get(f"paced {rate} reception {percentile}, {name}", "ns")
                figure.add(values.get(percentile), least.get(percentile))


def show_run(label, run, windows):
    cpu = " + ".join(f"{window.cpu_ns_per_packet:.0f}" for window in windows)
    say(f"  {label}: {windows[0].packets / windows[0].seconds:.0f}/s, cpu {cpu} ns, {', '.join(run.faults) or 'clean'}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--probe", "--floor", "--peer-mac"):
        parser.add_argument(name, required=True)
    parser.add_argument("--namespaces", nargs=2, required=True)
    parser.add_argument("--rates", type=int, nargs="+", required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--json")
    options = parser.parse_args()
    # Raises an exception, so that the running programs are ended first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    benchmark = Benchmark(Pair(options), options.rates, options.seconds, options.rounds)
    failure = None
    try:
        benchmark.run()
    except Failed as error:
        failure = error
    benchmark.figures.finish(options.json, failure)


if __name__ == "__main__":
    main()

"""Reads the summaries of the programs into common types. No other module knows the names in probe's JSON."""

import json
from dataclasses import dataclass, field


class Unreadable(Exception):
    """A run's output lacks something, which the message names."""


@dataclass
class Half:
    """The figures of one program of a run: the sender or the reflector."""

    exchanges: int
    duration_ns: int
    cpu_ns: int
    lost: int = 0
    faults: list = field(default_factory=list)  # faults of the timestamps, in words
    lateness: dict = field(default_factory=dict)  # percentile: nanoseconds
    # The time from the kernel's reception of a packet to the program's; a probe's sender reports its peer's too.
    reception: dict = field(default_factory=dict)
    peer_reception: dict = field(default_factory=dict)

    @property
    def rate(self):
        return self.exchanges * 1e9 / self.duration_ns if self.duration_ns > 0 else 0.0


# Paths of each value in a summary: the sender's first, then the reflector's. A dot separates the keys of nested
# objects.
RECEIVED = ("counters.received", "replies")
DURATION = ("duration_ns",)
PROCESSOR_TIME = ("counters.packet_thread_cpu_ns", "packet_thread_cpu_ns")
LOST = ("lost_forward", "lost_reverse", "lost_unknown", "late")
LATENESS = ("send_lateness", "send_lateness_ns")
RECEPTION = ("reverse.kernel_to_app", "reception_to_application_ns")
PEER_RECEPTION = ("forward.kernel_to_app",)
SENT = ("stamps.sent",)
LEDGER = ("stamps",)
# The two transmit timestamps that every packet on a veth pair has.
KINDS = {"SCHED": ("sched",), "driver": ("software",)}
PERCENTILES = {"p50": ("p50_ns", "p50"), "p99": ("p99_ns", "p99"), "p99.9": ("p99_9_ns", "p999")}


def look_up(summary, names):
    for name in names:
        value = summary
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def need(summary, names):
    value = look_up(summary, names)
    if value is None:
        raise Unreadable(f"the summary has no {names[0]!r}; it has {', '.join(summary)}")
    return value


def objects(text):
    """Yields the JSON objects among the lines of an output."""
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def percentiles(summary, names):
    values = look_up(summary, names)
    if not isinstance(values, dict):
        return {}
    found = {name: next((values[key] for key in keys if key in values), None) for name, keys in PERCENTILES.items()}
    return {name: value for name, value in found.items() if value is not None}


def stamp_faults(summary):
    ledger = need(summary, LEDGER)
    sent = need(summary, SENT)
    faults = []
    if ledger.get("balanced") is False:
        faults.append("the ledger is not balanced")
    for kind, names in KINDS.items():
        columns = look_up(ledger, names)
        if not isinstance(columns, dict):
            faults.append(f"no {kind} timestamps in the ledger")
            continue
        # A late timestamp is accounted for.
        stamped = columns.get("stamped", 0) + columns.get("late", 0)
        if stamped != sent:
            rest = ", ".join(f"{name} {count}" for name, count in columns.items() if name != "stamped" and count)
            faults.append(f"{stamped} of {sent} {kind} timestamps ({rest or 'the others in no column'})")
    return faults


def probe_half(output, is_sender):
    """Reads the output of a probe."""
    summary = None
    for value in objects(output):
        if value.get("type") == "summary":
            summary = value
    if summary is None:
        raise Unreadable("no JSON line of type summary")
    losses = [look_up(summary, (f"totals.{name}",)) or 0 for name in LOST]
    return Half(
        exchanges=need(summary, RECEIVED),
        duration_ns=need(summary, DURATION),
        cpu_ns=need(summary, PROCESSOR_TIME),
        lost=sum(losses) if is_sender else 0,
        faults=stamp_faults(summary),
        lateness=percentiles(summary, LATENESS),
        reception=percentiles(summary, RECEPTION),
        peer_reception=percentiles(summary, PEER_RECEPTION),
    )


@dataclass
class Sessions:
    """The figures of all sessions of a probe."""

    count: int
    lost: int
    skipped: int  # probes that were not sent, because their deadlines were long past
    faults: list
    lateness: dict  # percentile: nanoseconds


def sessions(output):
    """Reads the output of a probe with any number of sessions."""
    summaries = [value for value in objects(output) if value.get("type") == "summary"]
    if not summaries:
        raise Unreadable("no JSON line of type summary")
    lateness = [value for value in (look_up(summary, LATENESS) for summary in summaries) if value and value["count"]]
    return Sessions(
        count=len(summaries),
        lost=sum(look_up(summary, (f"totals.{name}",)) or 0 for summary in summaries for name in LOST),
        skipped=sum(look_up(summary, ("probes.skipped",)) or 0 for summary in summaries),
        faults=[f"{summary['peer']}: {fault}" for summary in summaries for fault in stamp_faults(summary)],
        lateness={"p50": merged(lateness, 0.5), "p99": merged(lateness, 0.99)} if lateness else {},
    )


# The points of a distribution that a summary has.
POINTS = (("min_ns", 0), ("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99), ("p99_9_ns", 0.999), ("max_ns", 1))


def merged(distributions, share):
    """Returns the value below which this share of all values lies, to within the distance of the distributions' points:
    each distribution is taken as straight lines between them."""
    wanted = share * sum(values["count"] for values in distributions)
    low = min(values["min_ns"] for values in distributions)
    high = max(values["max_ns"] for values in distributions)
    while low < high:
        middle = (low + high) // 2
        if sum(values["count"] * share_below(values, middle) for values in distributions) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def share_below(values, limit):
    before, below = values["min_ns"], 0
    if limit < before:
        return 0
    for name, share in POINTS:
        value = values[name]
        if limit < value:
            return below + (share - below) * (limit - before) / (value - before)
        before, below = value, share
    return 1


def floor_half(output, is_sender):
    """Reads the output of a C program."""
    summary = None
    for value in objects(output):
        if value.get("role") == ("sender" if is_sender else "reflector"):
            summary = value
    if summary is None:
        raise Unreadable("no figures")
    faults = [
        f"{summary[key]} of {summary['sent']} {kind} timestamps"
        for kind, key in (("SCHED", "sched"), ("driver", "snd"))
        if summary[key] != summary["sent"]
    ]
    return Half(
        exchanges=summary["exchanges"],
        duration_ns=round(summary["seconds"] * 1e9),
        cpu_ns=summary["cpu_ns"],
        lost=summary.get("lost", 0),
        faults=faults,
        lateness=percentiles(summary, LATENESS),
        reception=percentiles(summary, RECEPTION),
    )


def allocations(text):
    """Reads the allocation counter's file: the number of allocations by thread name."""
    counts = {}
    for line in text.splitlines():
        name, number, _ = line.split()
        counts[name] = int(number)
    return counts


@dataclass
class Reading:
    """The figures of a packet benchmark's program; the library's and the floor's print the same ones."""

    packets: int
    duration_ns: int
    cpu_ns: int
    waited_ns: int  # runnable, while another thread had its processor
    drops: int
    latency: dict = field(default_factory=dict)  # percentile: nanoseconds


def reading(output):
    """Reads the output of a packet benchmark's program. Raises Unreadable for missing or unaccounted timestamps."""
    values = next((value for value in objects(output) if "packets" in value), None)
    if values is None:
        raise Unreadable("no figures")
    account_faults = [f"{name} {values[name]}" for name in ("unknown_stamps",) if values.get(name)]
    if not values.get("balanced", True):
        account_faults.append("the ledger is not balanced")
    if values.get("stamped", 0) != values.get("sent", 0):
        account_faults.append(f"{values['stamped']} timestamps of {values['sent']} sends")
    if account_faults:
        raise Unreadable(f"TIMESTAMPS UNACCOUNTED FOR: {', '.join(account_faults)}: {json.dumps(values)}")
    return Reading(
        packets=values["packets"], duration_ns=values["duration_ns"], cpu_ns=values["cpu_ns"],
        waited_ns=values["waited_ns"], drops=values["drops"],
        latency={name: values[keys[0]] for name, keys in PERCENTILES.items() if keys[0] in values})


def instructions(errors):
    """Reads the number of user-space instructions from callgrind's messages."""
    for line in errors.splitlines():
        name, _, number = line.partition("Collected :")
        if number:
            return int(number)
    raise Unreadable("callgrind reported no number of instructions")

"""The table of a benchmark that runs probe and a floor in rounds."""

import statistics
import sys

from report import text, tidy, write_json


class Figure:
    """A quantity, measured in each round on probe and, if it has a floor, on that."""

    def __init__(self, name, unit):
        self.name, self.unit = name, unit
        self.values, self.floors = [], []

    def add(self, value, floor=None):
        if value is not None:
            self.values.append(value)
        if floor is not None:
            self.floors.append(floor)

    @property
    def value(self):
        return tidy(statistics.median(self.values)) if self.values else None

    @property
    def floor(self):
        return tidy(statistics.median(self.floors)) if self.floors else None

    @property
    def ratio(self):
        return round(self.value / self.floor, 3) if self.floor and self.value is not None else None

    def json(self):
        return {"name": self.name, "unit": self.unit, "value": self.value, "floor": self.floor, "ratio": self.ratio}


class Figures:
    """The figures of a benchmark by name, in the order of their first values."""

    def __init__(self):
        self.by_name = {}

    def get(self, name, unit):
        return self.by_name.setdefault(name, Figure(name, unit))

    def finish(self, path, failure, compared="floor"):
        """Prints the table, writes it to a file if there is a path, and ends the program if a figure failed.

        `compared` names what the ratio compares with."""
        figures = list(self.by_name.values())
        show(figures, compared)
        if failure:
            sys.exit(f"bench: stopped early: {failure}")
        if path:
            write_json(path, [figure.json() for figure in figures])
        # A figure without a value is shown as such, and fails the run.
        if any(figure.value is None for figure in figures):
            sys.exit("bench: FAILED: some figures have no value, see above")


def show(figures, compared):
    print(f"{'median of the rounds':<40} {'unit':>4} {'probe':>10} {'from':>10} {'to':>10} {compared:>10} {'ratio':>7}")
    for figure in figures:
        ends = (tidy(min(figure.values)), tidy(max(figure.values))) if figure.values else (None, None)
        cells = [text(cell) for cell in (figure.value, *ends, figure.floor)]
        print(f"{figure.name:<40} {figure.unit:>4} " + " ".join(f"{cell:>10}" for cell in cells), end="")
        print(f" {text(figure.ratio):>7}")

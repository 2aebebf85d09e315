"""The table of a benchmark that runs the library and a floor in pairs."""

import statistics
import sys

from report import text, tidy, write_json


class Row:
    """A line of the table: a quantity in each pair of runs."""

    def __init__(self, name, unit):
        self.name, self.unit = name, unit
        self.pairs = []
        self.instructions = (None, None)
        self.disturbed = 0

    def add(self, library, floor, is_disturbed=False):
        self.pairs.append((library, floor))
        self.disturbed += is_disturbed

    @property
    def cells(self):
        library, floor = (tidy(statistics.median(side)) for side in zip(*self.pairs))
        ratios = [one / other for one, other in self.pairs if other]
        ratio, least, most = (statistics.median(ratios), min(ratios), max(ratios)) if ratios else (None, None, None)
        return {
            "library": library, "floor": floor, "ratio": rounded(ratio), "ratio_from": rounded(least),
            "ratio_to": rounded(most), "instructions": tidy(self.instructions[0]),
            "instructions_floor": tidy(self.instructions[1]), "instructions_ratio": rounded(divide(*self.instructions)),
            "disturbed_pairs": self.disturbed, "pairs": len(self.pairs)}

    def json(self):
        return {"name": self.name, "unit": self.unit, **self.cells}


def divide(one, other):
    return one / other if one is not None and other else None


def rounded(ratio):
    return None if ratio is None else round(ratio, 3)


def show(rows):
    heads = ["library", "floor", "ratio", "from", "to", "instr", "floor", "ratio", "disturbed"]
    print(f"{'medians of the pairs':<30} {'unit':>4} " + " ".join(f"{head:>9}" for head in heads))
    for row in rows:
        cells = list(row.cells.values())
        disturbed = f"{row.disturbed}/{len(row.pairs)}" if row.disturbed else None
        print(f"{row.name:<30} {row.unit:>4} " + " ".join(f"{text(cell):>9}" for cell in [*cells[:8], disturbed]))


def finish(rows, path, failures):
    """Prints the table, writes it to a file if there is a path, and ends the program if a figure failed."""
    show(rows)
    if path:
        write_json(path, [row.json() for row in rows])
    if failures:
        sys.exit(f"bench: FAILED, see above: {', '.join(failures)}")

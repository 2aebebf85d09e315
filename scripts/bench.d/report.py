"""Messages and files of the benchmarks."""

import json
import os
import sys


def say(message):
    print(message, file=sys.stderr, flush=True)


def tidy(number):
    if number is None:
        return None
    return round(number) if abs(number) >= 100 or number == round(number) else round(number, 4)


def text(value):
    return "-" if value is None else str(value)


def write_json(path, value):
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    os.replace(f"{path}.new", path)

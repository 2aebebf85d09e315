"""A Swift source file, as far as the drawing of faults has to understand it: which of its characters are code."""

import re

TYPES = {"struct", "class", "enum", "extension", "protocol", "actor"}
DECLARATION = re.compile(
    r"(?<![.\w`])(struct|class|enum|extension|protocol|actor|func|init|var|let|subscript|deinit)\b(?!\s*:)")


def masked(text):
    """The text with blanks in place of comments and strings, of the same length and with the same lines."""
    out = list(text)
    place = 0

    def blank(start, end):
        for index in range(start, end):
            if out[index] != "\n":
                out[index] = " "

    while place < len(text):
        if text.startswith("//", place):
            end = text.find("\n", place)
            end = len(text) if end < 0 else end
        elif text.startswith("/*", place):
            end = text.find("*/", place) + 2
        elif text.startswith('"""', place):
            end = text.find('"""', place + 3) + 3
        elif text[place] == '"':
            end = end_of_string(text, place)
        else:
            place += 1
            continue
        blank(place, end)
        place = end
    return "".join(out)


def end_of_string(text, start):
    """The end of a string in one line, which can contain interpolations with strings in them."""
    place, depth = start + 1, 0
    while place < len(text):
        if text.startswith("\\(", place):
            depth += 1
            place += 2
        elif text[place] == "\\":
            place += 2
        elif depth and text[place] in "()":
            depth += 1 if text[place] == "(" else -1
            place += 1
        elif text[place] == '"':
            if not depth:
                return place + 1
            place = end_of_string(text, place)
        else:
            place += 1
    return len(text)


class Source:
    """The text of a file, and for each of its characters whether it is in a body that is executed."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.code = masked(self.text)
        self.is_executed = [False] * len(self.code)
        self.line_starts = [0] + [found.end() for found in re.finditer("\n", self.text)]
        self.find_bodies()

    def find_bodies(self):
        bodies, since = [], 0
        for place, character in enumerate(self.code):
            self.is_executed[place] = bool(bodies) and bodies[-1]
            if character == "{":
                declared = DECLARATION.findall(self.code[since:place])
                inside = bool(bodies) and bodies[-1]
                bodies.append(inside or not declared or declared[-1] not in TYPES)
                since = place + 1
            elif character == "}":
                if bodies:
                    bodies.pop()
                since = place + 1

    def line(self, place):
        """The number of a character's line, from 1."""
        low, high = 0, len(self.line_starts)
        while high - low > 1:
            middle = (low + high) // 2
            if self.line_starts[middle] <= place:
                low = middle
            else:
                high = middle
        return low + 1

    def line_span(self, number):
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return start, len(self.text) if end < 0 else end

    def depth(self, start, end):
        """The brackets that are opened and not closed between two characters."""
        part = self.code[start:end]
        return sum(part.count(mark) for mark in "([{") - sum(part.count(mark) for mark in ")]}")

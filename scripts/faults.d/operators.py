"""The faults that a source file offers. Each is an edit of its text that asks at run time whether it is selected."""

import re
from dataclasses import dataclass, field

from source import Source

ORDERED = ["<", "<=", ">", ">=", "==", "!="]
COMPARISON = {"==": ["!="], "!=": ["=="], **{mark: [other for other in ORDERED if other != mark] for mark in ORDERED[:4]}}
# The precedence group, what it becomes, and the constraint of its operands.
ARITHMETIC = {
    "&+": ("AdditionPrecedence", "&-"), "&-": ("AdditionPrecedence", "&+"), "+": ("AdditionPrecedence", "-"),
    "-": ("AdditionPrecedence", "+"), "*": ("MultiplicationPrecedence", "+"), "&*": ("MultiplicationPrecedence", "&+"),
    "/": ("MultiplicationPrecedence", "*"), "%": ("MultiplicationPrecedence", "/"), "|": ("AdditionPrecedence", "&"),
    "&": ("MultiplicationPrecedence", "|"), "^": ("AdditionPrecedence", "|"),
    "<<": ("BitwiseShiftPrecedence", ">>"), ">>": ("BitwiseShiftPrecedence", "<<"),
    "&+=": ("AssignmentPrecedence", "&-="), "&-=": ("AssignmentPrecedence", "&+="),
    "+=": ("AssignmentPrecedence", "-="), "-=": ("AssignmentPrecedence", "+="),
}
LOGICAL = {"&&": ("LogicalConjunctionPrecedence", "||"), "||": ("LogicalDisjunctionPrecedence", "&&")}
TOKEN = re.compile(r"(?<=\s)(&&|\|\||<<|>>|&\+=|&-=|\+=|-=|&\+|&-|&\*|<=|>=|==|!=|[<>+\-*/%|&^])(?=\s)")
NUMBER = re.compile(r"(?<![\w.$<])(?<!p-)(\d[\d_]*(?:\.\d+)?|0x[\dA-Fa-f_]+)(?![\w.]|\s*:)")
CASE = re.compile(r"(?:(?<=return )|(?<== )|(?<=\? )|(?<= : )|(?<=\{ ))\.([a-z]\w*)(?![\w(.])")
NOT_DROPPED = re.compile(
    r"(let|var|return|guard|if|else|for|while|repeat|switch|case|default|defer|do|try|catch|throw|func|struct|enum|class|"
    r"private|fileprivate|public|internal|mutating|static|init|import|precondition|fatalError|_)\b")


@dataclass
class Fault:
    """One change of a file: text from `start` to `end` is replaced by `head` + text + `tail`, or by `token`."""
    source: Source
    start: int
    end: int
    shown: str
    head: str = ""
    tail: str = ""
    token: str | None = None
    declarations: list = field(default_factory=list)
    number: int = 0

    @property
    def place(self):
        return f"{self.source.path}:{self.source.line(self.start)}"

    def diff(self, width=110):
        """The changed line, with the change marked as in a word diff."""
        first, _ = self.source.line_span(self.source.line(self.start))
        _, last = self.source.line_span(self.source.line(self.end))
        text = self.source.text
        before, change, after = text[first:self.start], text[self.start:self.end], text[self.end:last]
        added = f"{{+{self.shown}+}}" if self.shown else ""
        line = re.sub(r"\s+", " ", f"{before}[-{change}-]{added}{after}").strip()
        return line if len(line) <= width else line[:width - 1] + "…"


def operator_name(number):
    """An operator's name: digits of base 3, since operators cannot have letters."""
    digits = ""
    while number:
        digits += "~^|"[number % 3]
        number //= 3
    return "%~" + digits


def operators(source):
    for found in TOKEN.finditer(source.code):
        if not source.is_executed[found.start()]:
            continue
        mark = found[1]
        yield "operator", found.start(1), found.end(1), COMPARISON.get(mark) or [(ARITHMETIC | LOGICAL)[mark][1]]
    for found in re.finditer(r"(?<![\w)\]!?])!(?=[\w(.])", source.code):
        if source.is_executed[found.start()]:
            yield "not", found.start(), found.end(), [""]


def constants(source):
    for found in NUMBER.finditer(source.code):
        start, end = source.line_span(source.line(found.start()))
        line = source.code[start:end]
        is_initial = re.match(r"\s*(?:[\w()@]+\s+)*(let|var)\s[^={]*=\s", line)
        if not source.is_executed[found.start()]:
            if not is_initial or found.start() < start + is_initial.end():
                continue
        if re.match(r"\s*case\b[^:]*$", source.code[start:found.start()]) or source.text[start:end].lstrip().startswith("@"):
            continue
        value = float(found[1]) if "." in found[1] else int(found[1].replace("_", ""), 0)
        if isinstance(value, float):
            choices = [repr(value * 2), repr(value + 1)]
        else:
            choices = [str(value + 1)] + ([str(value * 2)] if value > 1 else []) + ([str(value - 1)] if value > 0 else [])
        yield "value", found.start(), found.end(), choices


def values(source, siblings):
    for found in re.finditer(r"(?<![\w.])(true|false)\b", source.code):
        if source.is_executed[found.start()]:
            yield "value", found.start(), found.end(), ["false" if found[1] == "true" else "true"]
    for found in CASE.finditer(source.code):
        others = sorted(siblings.get(found[1], set()) - {found[1]})
        if source.is_executed[found.start()] and others:
            yield "value", found.start(), found.end(), ["." + name for name in others]


def conditions(source):
    """The parts of conditions that are no bindings."""
    for found in re.finditer(r"(?<![\w.])(if|guard)\s", source.code):
        if not source.is_executed[found.start()]:
            continue
        for start, end in condition_parts(source.code, found.end(), found[1] == "guard"):
            if not re.match(r"(let|var|case)\b|#", source.code[start:end]):
                yield "condition", start, end, ["true", "false", "!"]


def condition_parts(code, place, is_guard):
    start, depth, parts = place, 0, []
    while place < len(code):
        character = code[place]
        ends = depth == 0 and (re.match(r"else\b", code[place:]) if is_guard else character == "{")
        if ends or depth == 0 and character == ",":
            part = code[start:place]
            parts.append((start + len(part) - len(part.lstrip()), start + len(part.rstrip())))
            if ends:
                return parts
            start = place + 1
        depth += (character in "([{") - (character in ")]}")
        place += 1
    return []


def statements(source):
    number = 0
    while number < len(source.line_starts):
        number += 1
        start, end = source.line_span(number)
        line = source.code[start:end]
        first = start + len(line) - len(line.lstrip())
        if first >= len(source.code) or not line.strip() or not source.is_executed[first]:
            continue
        yield from short_body(source, start, line)
        before = source.code[:start].rstrip()[-1:] or "{"
        if not re.match(r"[A-Za-z]", line.strip()) or NOT_DROPPED.match(line.strip()):
            continue
        if before in ",([=&|+-<>?" or before == ":" and not re.search(r"(case\b.*|default):$", source.code[:start].rstrip()):
            continue
        last = number
        while source.depth(start, end) > 0 or re.match(r"\s*(?:[.?&|+\-=<>,:]|else\b)", follower(source, last)) \
                or source.code[start:end].rstrip().endswith("="):
            last += 1
            if last > len(source.line_starts):
                break
            _, end = source.line_span(last)
        statement = source.code[first:end].rstrip()
        if source.depth(first, end) == 0 and is_effect(statement):
            yield "statement", first, first + len(statement), [""]


def short_body(source, start, line):
    """The only statement of a body in one line."""
    for found in re.finditer(r"\{ ([A-Za-z][^{};]*?) \}", line):
        header = line[:found.start()]
        is_void = re.search(r"\bfunc\b", header) and "->" not in header
        if (re.search(r"(?<!\w)(if|for|while|else)\b", header) or is_void) and not NOT_DROPPED.match(found[1]) \
                and is_effect(found[1]):
            yield "statement", start + found.start(1), start + found.end(1), [""]


def is_effect(statement):
    return re.search(r"\s(?:[-+*/%|&^]|&[-+*]|<<|>>)?=\s", statement) or statement.endswith(")")


def follower(source, number):
    if number >= len(source.line_starts):
        return ""
    start, end = source.line_span(number + 1)
    return source.code[start:end]


def sibling_cases(sources):
    """The other cases of the enums that have a case of a name."""
    siblings = {}
    for source in sources:
        for found in re.finditer(r"\benum\s+\w+[^{]*\{", source.code):
            depth, end = 1, found.end()
            while depth and end < len(source.code):
                depth += (source.code[end] == "{") - (source.code[end] == "}")
                end += 1
            body = re.sub(r"\{[^{}]*\}", " ", source.code[found.end():end - 1])
            names = []
            for line in re.findall(r"^\s*case ([^:.\n]+)$", body, re.M):
                names += [name for name in re.findall(r"(?:^|,\s*)(\w+)(?!\w*\s*\()", line)]
            for name in names:
                siblings.setdefault(name, set()).update(names)
    return siblings


def candidates(source, siblings):
    """All places of a file that a fault can change: kind, start, end and what it can become."""
    yield from operators(source)
    yield from constants(source)
    yield from values(source, siblings)
    yield from conditions(source)
    yield from statements(source)


def make(source, kind, start, end, choice, number):
    """The fault with a number at one place."""
    fault = Fault(source, start, end, choice, number=number)
    text = source.text[start:end]
    if kind == "operator":
        fault.token, fault.declarations = operator_name(number), declare(number, text, choice)
    elif kind == "not":
        fault.token = operator_name(number)
        fault.declarations = [
            f"prefix operator {fault.token}",
            f"prefix func {fault.token} (_ a: Bool) -> Bool {{ faulted({number}) ? a : !a }}"]
    elif kind == "value":
        fault.head, fault.tail = f"(faulted({number}) ? {choice} : ", ")"
    elif kind == "condition" and choice == "!":
        fault.shown = f"!({text})"
        fault.head, fault.tail = "((", f") != faulted({number}))"
    elif kind == "condition":
        fault.head, fault.tail = f"(faulted({number}) ? {choice} : (", "))"
    else:
        fault.head, fault.tail = f"if !faulted({number}) {{ ", " }"
    return fault


def declare(number, mark, choice):
    """The operator that is `mark` or, if selected, `choice`."""
    name = operator_name(number)
    body = f"faulted({number}) ? a {choice} b : a {mark} b"
    if mark in LOGICAL:
        return [
            f"infix operator {name}: {LOGICAL[mark][0]}",
            f"func {name} (_ a: Bool, _ b: @autoclosure () throws -> Bool) rethrows -> Bool {{"
            f" faulted({number}) ? try a {choice} b() : try a {mark} b() }}"]
    if mark in COMPARISON:
        constraint = "Equatable" if choice in ("==", "!=") and mark in ("==", "!=") else "Comparable"
        return [
            f"infix operator {name}: ComparisonPrecedence",
            f"func {name} <T: {constraint}>(_ a: T, _ b: T) -> Bool {{ {body} }}"]
    group = ARITHMETIC[mark][0]
    if mark.endswith("="):
        return [
            f"infix operator {name}: {group}",
            f"func {name} <T: FixedWidthInteger>(_ a: inout T, _ b: T) {{ if faulted({number}) {{ a {choice} b }} else {{ a {mark} b }} }}"]
    if mark in ("<<", ">>"):
        return [
            f"infix operator {name}: {group}",
            f"func {name} <T: FixedWidthInteger, S: BinaryInteger>(_ a: T, _ b: S) -> T {{ {body} }}"]
    declared = [
        f"infix operator {name}: {group}",
        f"func {name} <T: FixedWidthInteger>(_ a: T, _ b: T) -> T {{ {body} }}"]
    if mark in "+-*/":
        declared.append(f"func {name} (_ a: Double, _ b: Double) -> Double {{ {body} }}")
    return declared

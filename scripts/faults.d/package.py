"""The scratch copy of the package: the tested targets with all faults in them, and links to the rest."""

import json
import re
import shutil
import subprocess
from pathlib import Path

SELECTION = """import Foundation

/// The number of the selected fault; 0 for none.
private let selectedFault = ProcessInfo.processInfo.environment["FAULT"].flatMap(Int.init) ?? 0

@inline(never) func faulted(_ number: Int) -> Bool { selectedFault == number }

"""


def edited(source, faults):
    """The text of a file with its faults as alternatives."""
    edits = []
    for fault in faults:
        size = fault.end - fault.start
        if fault.token is not None:
            edits.append((fault.start, 2, 0, fault.number, fault.token, size))
        else:
            # At one place, what ends there comes first, the inner before the outer; then what begins, the outer first.
            edits.append((fault.start, 1, -size, -fault.number, fault.head, 0))
            edits.append((fault.end, 0, size, fault.number, fault.tail, 0))
    out, place = [], 0
    for start, _, _, _, text, size in sorted(edits, key=lambda edit: edit[:4]):
        out += [source.text[place:start], text]
        place = start + size
    return "".join(out) + source.text[place:]


class Package:
    def __init__(self, directory, sources, tests):
        self.directory = directory
        self.root = Path.cwd()
        manifest = json.loads(subprocess.run(
            ["swift", "package", "dump-package"], capture_output=True, text=True, check=True).stdout)
        self.targets = {target["name"]: target for target in manifest["targets"]}
        self.needed = self.closure(tests)
        self.changed = {self.target_of(source.path) for source in sources}
        self.write_manifest(manifest)
        self.link(sources)

    def target_of(self, path):
        return path.parts[1]

    def closure(self, names):
        needed = []
        for name in names:
            if name not in self.targets:
                raise SystemExit(f"faults: Package.swift has no target {name}; name test targets with --tests")
            if self.targets[name]["type"] not in ("regular", "test"):
                raise SystemExit(f"faults: {name} is a target of type {self.targets[name]['type']}, which is not supported")
            own = [next(iter(entry.values())) for entry in self.targets[name]["dependencies"] if "byName" in entry]
            needed += self.closure([entry[0] for entry in own]) + [name]
        return list(dict.fromkeys(needed))

    def write_manifest(self, manifest):
        def target(name):
            listed = []
            for entry in self.targets[name]["dependencies"]:
                kind, value = next(iter(entry.items()))
                listed.append(f'.product(name: "{value[0]}", package: "{value[1]}")' if kind == "product" else f'"{value[0]}"')
            call = ".testTarget" if self.targets[name]["type"] == "test" else ".target"
            return f'{call}(name: "{name}", dependencies: [{", ".join(listed)}], swiftSettings: settings),'

        packages = []
        used = {entry["product"][1] for name in self.needed for entry in self.targets[name]["dependencies"] if "product" in entry}
        for dependency in manifest["dependencies"]:
            entry = dependency["sourceControl"][0]
            if entry["identity"] in used:
                packages.append(
                    f'.package(url: "{entry["location"]["remote"][0]["urlString"]}", '
                    f'from: "{entry["requirement"]["range"][0]["lowerBound"]}"),')
        lines = ["// swift-tools-version: 6.2", "import PackageDescription",
                 'let settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]',
                 'let package = Package(name: "faults", dependencies: [', *packages, "], targets: [",
                 *map(target, self.needed), "])"]
        self.directory.mkdir(parents=True, exist_ok=True)
        write(self.directory / "Package.swift", "\n".join(lines) + "\n")

    def link(self, sources):
        """Links what is not changed, and copies the rest."""
        for folder in ("Sources", "Tests"):
            shutil.rmtree(self.directory / folder, ignore_errors=True)
            (self.directory / folder).mkdir()
        for name in self.needed:
            folder = "Tests" if self.targets[name]["type"] == "test" else "Sources"
            if name not in self.changed:
                (self.directory / folder / name).symlink_to(self.root / folder / name)
        for name in self.changed & set(self.needed):
            for file in (self.root / "Sources" / name).rglob("*"):
                if file.is_file():
                    copy = self.directory / file.relative_to(self.root)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, copy)
        for name in ("docs", "Package.resolved"):
            if (self.root / name).exists() and not (self.directory / name).exists():
                (self.directory / name).symlink_to(self.root / name)

    def build(self, sources, faults):
        """Compiles all faults at once. Returns the numbers of those that do not compile; empty if the build succeeded."""
        origin, where = {}, {}
        for source in sources:
            own = [fault for fault in faults if fault.source is source]
            write(self.directory / source.path, edited(source, own))
            for fault in own:
                # Edits add no lines.
                for line in range(source.line(fault.start), source.line(fault.end) + 1):
                    where.setdefault((str(source.path), line), []).append(fault.number)
        for name in self.changed:
            lines = []
            for fault in faults:
                if self.target_of(fault.source.path) == name:
                    lines += fault.declarations
                    for offset in range(len(fault.declarations)):
                        origin[(f"Sources/{name}/Faults.swift", len(SELECTION.splitlines()) + len(lines) - offset)] = fault.number
            write(self.directory / f"Sources/{name}/Faults.swift", SELECTION + "\n".join(lines) + "\n")
        done = subprocess.run(
            ["swift", "build", "--build-tests"], cwd=self.directory, capture_output=True, text=True)
        if done.returncode == 0:
            return set()
        failed = set()
        for path, line in re.findall(r"^(\S+?):(\d+):\d+: error:", done.stdout + done.stderr, re.M):
            path = str(Path(path).relative_to(self.directory.resolve())) if Path(path).is_relative_to(self.directory.resolve()) else path
            number = int(line)
            if (path, number) in origin:
                failed.add(origin[path, number])
            for distance in (0, -1, 1, -2, 2):
                if where.get((path, number + distance)):
                    failed.update(where[path, number + distance])
                    break
        if not failed:
            raise SystemExit("faults: the package does not compile, and no fault is at the lines of the errors:\n"
                             + "\n".join(re.findall(r"^.*error:.*$", done.stdout + done.stderr, re.M)[:20]))
        return failed


def write(path, text):
    """Writes a file if its content changes, so that only what has changed is compiled."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")

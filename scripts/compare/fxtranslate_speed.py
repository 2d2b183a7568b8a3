#!/usr/bin/env python3
"""Compares polygist with fxtranslate on Firefox's models: outputs, quality and speed.

Every model folder is run on all of FLORES dev in its direction, by both engines, with the lexical
shortlist and without. For each of polygist's precisions it is counted how many lines are equal to
those of fxtranslate, which computes as Marian does, with the factors for activations that stand in
the file; `int8-static` uses them too, `int8` a scale for every row, `f32` none. BLEU and chrF are
of all lines.

Then the speed, in words of the source a second: the sides take turns --runs times, so that a busy
machine hits both alike, and medians are given. polygist's time is that of the whole command
`translate --lines`, loading and the program's own checks included, fxtranslate's from loading the
model on, without starting Python. Time is CPU time, which other programs on the machine disturb
less, and wall time where two cores work. "alone" is polygist with one sentence at a time, as
fxtranslate does it.

    pip install -e "./scripts[compare]" fxtranslate
    cargo build --release
    python3 scripts/compare/fxtranslate_speed.py [--models FOLDER …] [--runs 5] [--baseline BINARY]
        [--differences FOLDER]

Without --models the folders firefox-pt-en-tiny and firefox-en-pt-tiny of the store are taken.
--baseline names an older program to be measured beside. With --differences, 100 lines of each
direction that the shortlist changes are written to a file there: source, reference, without, with.
FLORES dev is looked for as in full_size.py.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from polygist_scripts.data import flores
from polygist_scripts.program import BINARY, require, translate_lines
from polygist_scripts.scores import metrics
from polygist_scripts.timing import in_turns, medians

NAMES = ["firefox-pt-en-tiny", "firefox-en-pt-tiny"]
PRECISIONS = ["int8", "int8-static", "f32"]


class Folder:
    """A model folder, and one beside it that has no shortlist."""

    def __init__(self, path: Path, beside: Path) -> None:
        self.path = path.resolve()
        self.model = self.only("model.*.bin")
        found = re.search(r"\.([a-z]{2})([a-z]{2})\.", self.model.name)
        if not found:
            sys.exit(f"{self.model.name} does not name its languages")
        self.source, self.target = found.groups()
        self.without = beside / f"{self.source}-{self.target}"
        self.without.mkdir()
        for file in self.path.iterdir():
            if not file.name.startswith("lex."):
                (self.without / file.name).symlink_to(file)

    def only(self, pattern: str) -> Path:
        found = sorted(self.path.glob(pattern))
        if len(found) != 1:
            sys.exit(f"{self.path} has {len(found)} files {pattern}, not one")
        return found[0]

    def peer_files(self, listed: bool) -> list[str]:
        """Model, vocabularies and shortlist."""
        vocabularies = sorted(self.path.glob("*vocab.*.spm"))
        files = [self.model, vocabularies[0], vocabularies[-1]]
        return [str(file) for file in files + ([self.only("lex.*.bin")] if listed else [])]


def peer_process() -> None:
    """Runs as a process of its own: model files as arguments, lines on standard input."""
    import fxtranslate  # type: ignore[import-not-found, import-untyped, unused-ignore]

    lines = sys.stdin.read().split("\n")
    wall, cpu = time.perf_counter(), time.process_time()
    translator = fxtranslate.Translator(*(Path(name).read_bytes() for name in sys.argv[2:]))
    output = [translator.translate(line) for line in lines]
    seconds = [time.process_time() - cpu, time.perf_counter() - wall]
    json.dump({"lines": output, "seconds": seconds, "backend": translator.backend()}, sys.stdout)


def peer(folder: Folder, listed: bool, lines: list[str]) -> tuple[list[str], tuple[float, float]]:
    """What fxtranslate writes, and its seconds: of the CPU, and by the clock."""
    command = [sys.executable, __file__, "--peer-process", *folder.peer_files(listed)]
    done = subprocess.run(command, input="\n".join(lines), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("fxtranslate failed")
    answer = json.loads(done.stdout)
    return answer["lines"], tuple(answer["seconds"])


def ours(
    binary: Path, folder: Folder, listed: bool, lines: list[str], flags: list[str]
) -> tuple[list[str], tuple[float, float]]:
    """What polygist writes, and its seconds: of the CPU, and by the clock."""
    path = folder.path if listed else folder.without
    flags = [*flags, "--shortlist"] if listed else flags
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    output = translate_lines(
        binary, folder.source, folder.target, lines, ["--model", str(path), *flags]
    )
    seconds, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return output, (cpu, seconds)


def peer_seconds(folder: Folder, listed: bool, lines: list[str]) -> float:
    return peer(folder, listed, lines)[1][0]


def our_seconds(
    binary: Path, folder: Folder, listed: bool, lines: list[str], flags: list[str], kind: int
) -> float:
    """Seconds of the CPU (kind 0), or by the clock (1)."""
    return ours(binary, folder, listed, lines, flags)[1][kind]


def compare_outputs(a: argparse.Namespace, folder: Folder, lines: list[str]) -> None:
    reference = flores(folder.target, count=len(lines))
    bleu, chrf = metrics(folder.target)

    def scores(output: list[str]) -> str:
        found = [m.corpus_score(output, [reference]).score for m in (bleu, chrf)]
        return f"BLEU {found[0]:.2f} chrF {found[1]:.2f}"

    ways: dict[bool, list[str]] = {}
    for listed in (True, False):
        words = "with shortlist" if listed else "without shortlist"
        theirs, _ = peer(folder, listed, lines)
        print(f"{folder.source}-{folder.target} {words}: fxtranslate {scores(theirs)}")
        exact: list[str] = []
        for precision in reversed(PRECISIONS):
            flags = ["--precision", precision]
            output, _ = ours(a.binary, folder, listed, lines, flags)
            exact = exact or output
            equal = sum(x == y for x, y in zip(output, theirs, strict=True))
            to_f32 = sum(x == y for x, y in zip(output, exact, strict=True))
            print(
                f"  polygist {precision}: {scores(output)}, {equal} of {len(lines)} lines as"
                f" fxtranslate, {to_f32} as our f32",
                flush=True,
            )
            if precision == "int8":
                ways[listed] = output
        same = sum(x == y for x, y in zip(exact, theirs, strict=True))
        print(f"  fxtranslate: {same} as our f32")
    if a.differences:
        rows = zip(lines, reference, ways[False], ways[True], strict=True)
        differing = [row for row in rows if row[2] != row[3]]
        path = a.differences / f"shortlist-diff-{folder.source}{folder.target}.txt"
        path.write_text("".join("\n".join(row) + "\n\n" for row in differing[:100]), "utf-8")
        print(f"  {len(differing)} lines differ by the shortlist; the first 100 are in {path}")


def compare_speed(a: argparse.Namespace, folder: Folder, lines: list[str]) -> None:
    words = sum(len(line.split()) for line in lines)
    binaries = {"polygist": a.binary} | ({"baseline": a.baseline} if a.baseline else {})
    for listed in (True, False):
        sides: dict[str, Callable[[], float]] = {
            "fxtranslate": partial(peer_seconds, folder, listed, lines)
        }
        for name, binary in binaries.items():
            for way, flags, kind in (
                ("one core", ["--threads", "1"], 0),
                ("one core, alone", ["--threads", "1", "--batch", "1"], 0),
                ("two cores, by the clock", ["--threads", "2"], 1),
            ):
                run = partial(our_seconds, binary, folder, listed, lines, flags, kind)
                sides[f"{name}, {way}"] = run
        found = medians(in_turns(sides, a.runs))
        for name, seconds in found.items():
            ratio = found["fxtranslate"] / seconds
            print(
                f"{folder.source}-{folder.target} {'with' if listed else 'without'} shortlist,"
                f" {name}: {words / seconds:.0f} words/s, {ratio:.2f} times fxtranslate",
                flush=True,
            )
    for name, binary in binaries.items():
        one = {"cpu": [ours(binary, folder, True, lines[:1], [])[1][0] for _ in range(a.runs)]}
        pair = f"{folder.source}-{folder.target}"
        print(f"{pair} {name}: one sentence, loading included: {medians(one)['cpu']:.3f} s")


def store() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("POLYGIST_MODELS") or Path(cache) / "polygist" / "models")


def parse() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    p.add_argument("--models", type=Path, nargs="+", help="folders of Firefox's models")
    p.add_argument("--runs", type=int, default=5, help="turns of the measurement; 0 for none")
    p.add_argument("--lines", type=int, help="take only the first lines")
    p.add_argument("--binary", type=Path, default=BINARY)
    p.add_argument("--baseline", type=Path, help="an older program, measured beside")
    p.add_argument("--no-outputs", action="store_true", help="measure the speed alone")
    p.add_argument("--differences", type=Path, help="folder for what the shortlist changes")
    return p.parse_args()


def main() -> None:
    if sys.argv[1:2] == ["--peer-process"]:
        return peer_process()
    a = parse()
    require(a.binary, "--binary")
    folders = a.models or [store() / name for name in NAMES]
    with tempfile.TemporaryDirectory() as beside:
        for path in folders:
            if not path.is_dir():
                sys.exit(f"{path} is not there; --models names the folders of Firefox's models")
            folder = Folder(path, Path(beside))
            lines = flores(folder.source, count=a.lines)
            if not a.no_outputs:
                compare_outputs(a, folder, lines)
            if a.runs:
                compare_speed(a, folder, lines)


if __name__ == "__main__":
    main()

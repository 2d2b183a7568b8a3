#!/usr/bin/env python3
"""Makes the outputs that stand in the documentation, or says which are not those of today.

A block of code in README.md, docs/*.md or samples/*.md below a comment like

    <!-- run: polygist detect samples/articles/tramvai.txt -->

holds that command and what it writes. All commands of a page are run in their order, in a folder of
their own with a copy of samples/ in it, without a network, models or anybody's configuration.

    python3 scripts/guide.py --check [BINARY] [--models FOLDER] [--pages docs/tour.md]
    python3 scripts/guide.py --write [BINARY] …

What stands before the colon, after commas:

    run, exit 1: …     the command ends with this status; what it says on standard error is shown,
                       which else is not
    run, 12 lines: …   so many lines of the output are shown, and that there are more
    run, hidden: …     what later commands need; no block follows
    run, with NAME: …  needs an installed model; such blocks are left alone unless --models names
                       the folder with the models

BINARY is target/release/polygist unless it is named. Needs nothing but Python.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKER = re.compile(r"^<!-- run(?P<options>(?:, [^:,]+)*): (?P<command>.+?) -->\n", re.M | re.S)
BLOCK = re.compile(r"```[a-z]*\n.*?^```\n", re.M | re.S)
# Of a terminal's lines, in characters.
WIDTH = 98


@dataclass
class Options:
    """What a comment says of its command."""

    status: int = 0
    lines: int | None = None
    hidden: bool = False
    model: str | None = None

    @staticmethod
    def of(text: str) -> "Options":
        options = Options()
        for option in filter(None, text.split(", ")):
            match option.split():
                case ["exit", status]:
                    options.status = int(status)
                case [number, "lines"]:
                    options.lines = int(number)
                case ["hidden"]:
                    options.hidden = True
                case ["with", name]:
                    options.model = name
                case _:
                    sys.exit(f"“{option}” is no option of a command; see --help")
        return options


class Shell:
    """Runs the commands of one page."""

    def __init__(self, folder: Path, binary: Path, models: Path | None) -> None:
        self.folder = folder / "here"
        self.folder.mkdir()
        shutil.copytree(ROOT / "samples", self.folder / "samples")
        programs = folder / "bin"
        programs.mkdir()
        (programs / "polygist").symlink_to(binary)
        home = str(folder / "home")
        self.models = models
        self.variables = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "POLYGIST_CACHE": str(folder / "cache"),
            "POLYGIST_FIREFOX_MODELS": "no-mirror",
            "HF_ENDPOINT": "http://127.0.0.1:1",
            "PIP_NO_INDEX": "1",
            "COLUMNS": str(WIDTH),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def run(self, command: str, options: Options) -> str:
        """What the command writes. Ends the script where it ends otherwise than it should."""
        models = {"POLYGIST_CACHE": str(self.models)} if options.model else {}
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.variables | models,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if options.status else subprocess.PIPE,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        if done.returncode != options.status:
            said = f"{done.stdout}{done.stderr or ''}"
            sys.exit(f"`{command}` ended with {done.returncode}, not {options.status}:\n{said}")
        return done.stdout


def shown(command: str, output: str, options: Options) -> str:
    """The block of a command."""
    lines = output.rstrip("\n").split("\n")
    if options.lines and len(lines) > options.lines:
        lines = [*lines[: options.lines], "…"]
    text = "\n".join(line.rstrip() for line in lines)
    if "```" in text:
        sys.exit(f"`{command}` writes ```, which would end its block")
    return f"```console\n$ {command}\n{text}\n```\n"


def parts(page: str, shell: Shell) -> Iterator[str]:
    """The page with its blocks made anew."""
    end = 0
    while marker := MARKER.search(page, end):
        yield page[end : marker.end()]
        end = marker.end()
        options, command = Options.of(marker["options"]), marker["command"]
        old = BLOCK.match(page, end)
        left = options.model is not None and shell.models is None
        output = "" if left else shell.run(command, options)
        if options.hidden:
            continue
        if old is not None:
            end = old.end()
        yield old[0] if left and old else shown(command, output, options)
    yield page[end:]


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="exit code 1 where one differs")
    action.add_argument("--write", action="store_true", help="write them into the pages")
    parser.add_argument("binary", type=Path, nargs="?", default=ROOT / "target/release/polygist")
    parser.add_argument("--models", type=Path, help="a folder with models")
    parser.add_argument("--pages", type=Path, nargs="+", default=pages())
    args = parser.parse_args()
    if not args.binary.exists():
        sys.exit(f"{args.binary} is not there; `cargo build --release` builds the program")

    blocks, left, differing = 0, 0, []
    for path in args.pages:
        old = path.read_text(encoding="utf-8")
        found = [Options.of(marker["options"]) for marker in MARKER.finditer(old)]
        if not found:
            continue
        with tempfile.TemporaryDirectory() as name:
            models = args.models.resolve() if args.models else None
            shell = Shell(Path(name), args.binary.resolve(), models)
            new = "".join(parts(old, shell))
        blocks += len(found)
        left += sum(options.model is not None for options in found) if not args.models else 0
        if new == old:
            continue
        differing.append(path.name)
        if args.write:
            path.write_text(new, encoding="utf-8")
        else:
            old_lines, new_lines = (text.splitlines(keepends=True) for text in (old, new))
            names = (path.name, "what is written now")
            sys.stdout.writelines(difflib.unified_diff(old_lines, new_lines, *names))
    rest = f"; {left} need models, which --models would name" if left else ""
    if differing and args.check:
        sys.exit(f"{', '.join(differing)}: see `python3 scripts/guide.py --write`{rest}")
    print(f"{blocks} commands, {len(differing)} pages changed{rest}")


if __name__ == "__main__":
    main()

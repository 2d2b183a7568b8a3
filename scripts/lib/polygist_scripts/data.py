"""Data for evaluation and training: where it lies, and how its files are read.

It is looked for in $POLYGIST_DATA, or in ../shared/data beside the repository. Where a set is
missing, the script ends with a message that says what was looked for.
"""

import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def data() -> Path:
    """The folder with all data, whether it exists or not."""
    return Path(os.environ.get("POLYGIST_DATA", ROOT.parent / "shared" / "data"))


def subfolder(name: str, files: str) -> Path:
    """A folder of the data, in which `files` are expected."""
    found = data() / name
    if not found.is_dir():
        sys.exit(
            f"no evaluation data: {found} is not there; "
            f"set POLYGIST_DATA to the folder that has {name}/{files}"
        )
    return found


def flores(code: str, first: int = 0, count: int | None = None) -> list[str]:
    """Lines of FLORES dev in a language: `count` of them from line `first` on, or all."""
    folder = subfolder("flores-dev", "*.txt")
    path = folder / f"{code}.txt"
    if not path.exists():
        known = " ".join(sorted(p.stem for p in folder.glob("*.txt")))
        sys.exit(f"{path} is not there; languages: {known}")
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[first:] if count is None else lines[first : first + count]


def flores_languages() -> dict[str, list[str]]:
    """All of FLORES dev by language, aligned by line."""
    paths = sorted(subfolder("flores-dev", "*.txt").glob("*.txt"))
    return {path.stem: path.read_text(encoding="utf-8").splitlines() for path in paths}


def ntrex(code: str) -> list[Path]:
    """The news articles of NTREX in a language, one sentence a line."""
    folder = data() / "articles" / "ntrex" / code
    articles = sorted(folder.glob("*.txt"))
    if not articles:
        sys.exit(
            f"no articles in {folder}; set POLYGIST_DATA to the folder that has articles/ntrex"
        )
    return articles


def summaries(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a set of summaries: "id", "lang", "article", "summary", and a "title" or none."""
    folder = subfolder("summaries", "*.jsonl.gz")
    path = folder / f"{name}.jsonl.gz"
    if not path.exists():
        known = ", ".join(sorted(p.name[:-9] for p in folder.glob("*.jsonl.gz")))
        sys.exit(f"{path} is not there; sets: {known}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)

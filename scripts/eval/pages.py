#!/usr/bin/env python3
"""Measures the main text of web pages: what is found of it, and what comes along that should not.

Every page is annotated with snippets that its main text must hold (`with`) and must not hold
(`without`). White space folded, precision is found `with` / (found `with` + found `without`),
recall is found `with` / all `with`. Trafilatura and readability-lxml are measured beside the built
binary where they can be imported.

    cargo build --release
    pip install trafilatura readability-lxml     # the peers, if wanted
    python3 scripts/eval/pages.py [--errors]

The pages are looked for in $POLYGIST_DATA/pages or ../shared/data/pages beside the repository.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "polygist"
DATA = Path(os.environ.get("POLYGIST_DATA", ROOT.parent / "shared" / "data")) / "pages"


def fold(text: str) -> str:
    """The text with its white space folded."""
    return " ".join(text.split())


def polygist(binary: Path, folder: Path, names: list[str]) -> dict[str, str]:
    """The paragraphs of the binary, page by page."""
    command = [str(binary), "detect", "--paragraphs", "--format", "json", *names]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    texts: dict[str, list[str]] = {}
    for line in run.stdout.splitlines():
        paragraph = json.loads(line)
        texts.setdefault(paragraph["id"], []).append(paragraph["text"])
    return {name: "\n".join(paragraphs) for name, paragraphs in texts.items()}


def trafilatura(page: bytes) -> str:
    """The main text as trafilatura finds it."""
    import trafilatura as peer

    return peer.extract(page, include_comments=False) or ""


def readability(page: bytes) -> str:
    """The main text as readability-lxml finds it."""
    from lxml import html
    from readability import Document

    return html.fromstring(Document(page.decode("utf-8", "replace")).summary()).text_content()


def peer(read: Callable[[bytes], str], folder: Path, names: list[str]) -> dict[str, str]:
    """The texts of a peer; a page that it fails on has none."""
    texts = {}
    for name in names:
        try:
            texts[name] = read((folder / name).read_bytes())
        except ImportError:
            raise
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)
    return texts


def score(pages: dict[str, Any], texts: dict[str, str], errors: bool) -> str:
    """Precision, recall, F1 and the pages of which nothing was found."""
    right = wrong = missed = nothing = 0
    for name, page in pages.items():
        text = fold(texts.get(name, ""))
        nothing += not text
        lost = [s for s in page["with"] if fold(s) not in text]
        extra = [s for s in page["without"] if fold(s) in text]
        right += len(page["with"]) - len(lost)
        missed += len(lost)
        wrong += len(extra)
        for mark, snippets in (("-", lost), ("+", extra)) if errors else ():
            for snippet in snippets:
                print(f"{name}\t{mark}\t{fold(snippet)}")
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return f"{precision:.3f}  {recall:.3f}  {f1:.3f}  {nothing:>7}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--errors", action="store_true", help="list the snippets of our errors")
    args = parser.parse_args()
    archive = DATA / "pages.tar.xz"
    if not archive.exists():
        sys.exit(f"{archive} is not there; set POLYGIST_DATA to the folder of the data")
    pages = json.loads((DATA / "pages.json").read_text(encoding="utf-8"))
    names = sorted(pages)
    print(f"{'':<12}{'prec.':>6} {'recall':>6} {'F1':>6}  {'nothing':>7} {'ms a page':>10}")
    with tempfile.TemporaryDirectory() as temporary:
        with tarfile.open(archive) as tar:
            tar.extractall(temporary, filter="data")
        folder = Path(temporary) / "pages"
        readers: dict[str, Callable[[], dict[str, str]]] = {
            "polygist": lambda: polygist(args.binary.resolve(), folder, names),
            "trafilatura": lambda: peer(trafilatura, folder, names),
            "readability": lambda: peer(readability, folder, names),
        }
        for name, read in readers.items():
            start = time.perf_counter()
            try:
                texts = read()
            except ImportError as error:
                print(f"{name:<12}is not measured: {error}")
                continue
            each = 1000 * (time.perf_counter() - start) / len(names)
            line = score(pages, texts, args.errors and name == "polygist")
            print(f"{name:<12} {line} {each:>10.1f}")


if __name__ == "__main__":
    main()

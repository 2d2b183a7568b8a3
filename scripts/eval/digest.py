#!/usr/bin/env python3
"""Measures how `polygist digest` puts articles together: pairwise F1 on translations of NTREX.

Each of NTREX's articles tells a story, sixteen of them one that another tells too (EVENTS, judged
by their titles); its translations into other languages are the sources. They are translated into
English by `polygist batch`, as a user's would be, and put together by `polygist digest`. A pair of
articles is right when both are of one story: precision is the share of right ones among the pairs
that are together, recall the share of the right ones that are together. Half of the stories, drawn
at random, are for choosing the threshold (the lines "tune"), the others for measuring it ("test").

    pip install -e ./scripts
    cargo build --release
    python3 scripts/eval/digest.py [--languages pt fr …] [--sentences 8] [--thresholds 0.5 0.6 …]
                                   [--out FOLDER] [-- FLAGS OF BATCH]

With --out the translations are kept, and only what is new is done the next time. NTREX is looked
for in $POLYGIST_DATA/articles/ntrex or ../shared/data/articles/ntrex beside the repository.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from polygist_scripts import data
from polygist_scripts.program import BINARY, require

# Articles about the same event.
EVENTS = [
    ("abcnews.306815", "newsweek.51338"),
    ("bbc.381746", "scotsman.133791"),
    ("cnbc.com.6769", "reuters.218861"),
    ("cnn.304447", "newsweek.51310"),
    ("euronews-en.153835", "nytimes.184860", "reuters.218863", "nytimes.184837"),
    ("reuters.218932", "rt.com.91337"),
    ("independent.226301", "reuters.218923"),
]
STORY = {name: names[0] for names in EVENTS for name in names}


def story_of(name: str) -> str:
    """The story of an article, by its file's name."""
    stem = Path(name).stem
    return STORY.get(stem, stem)


def write(articles: Path, languages: Sequence[str], sentences: int) -> None:
    """The articles, each with the title that is its first line."""
    for language in languages:
        folder = articles / language
        folder.mkdir(parents=True, exist_ok=True)
        for path in data.ntrex(language):
            title, *lines = path.read_text(encoding="utf-8").splitlines()[: sentences + 1]
            article = {"title": title, "text": "\n".join(lines)}
            text = json.dumps(article, ensure_ascii=False)
            (folder / f"{path.stem}.json").write_text(text, encoding="utf-8")


def run(*command: str | Path) -> None:
    code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    if code not in (0, 2):  # 2: some articles failed
        sys.exit(f"{' '.join(map(str, command))}: exit code {code}")


def scores(stories: list[list[str]], of_part: set[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of the pairs of articles of some stories."""
    told = [[name for name in story if name in of_part] for story in stories]
    together = {frozenset(pair) for story in told for pair in combinations(story, 2)}
    by_story: dict[str, list[str]] = {}
    for name in (name for story in told for name in story):
        by_story.setdefault(story_of(name), []).append(name)
    right = {frozenset(pair) for names in by_story.values() for pair in combinations(names, 2)}
    shared = len(together & right)
    precision, recall = shared / max(len(together), 1), shared / max(len(right), 1)
    return precision, recall, 2 * shared / max(len(together) + len(right), 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--languages", nargs="+", default=["pt", "fr", "de", "es", "ru"])
    parser.add_argument("--sentences", type=int, default=8, help="of each article, after its title")
    parser.add_argument("--thresholds", nargs="+", default=["0.5", "0.55", "0.6", "0.65", "0.7"])
    parser.add_argument("--out", type=Path, help="folder for articles and translations")
    parser.add_argument("flags", nargs="*", help="flags of `polygist batch`")
    arguments = parser.parse_args()
    require(arguments.binary, "--binary")
    with tempfile.TemporaryDirectory() as temporary:
        out = arguments.out or Path(temporary)
        write(out / "articles", arguments.languages, arguments.sentences)
        batch = [arguments.binary, "batch", out / "articles", "--to", "en"]
        run(*batch, "--out", out / "out", *arguments.flags)
        documents = sorted({story_of(path.name) for path in data.ntrex(arguments.languages[0])})
        random.Random(1).shuffle(documents)
        parts = {"tune": set(documents[::2]), "test": set(documents[1::2])}
        print(f"{'threshold':>9}  {'part':4}  precision  recall     F1   stories  copies")
        for threshold in arguments.thresholds:
            digest = [arguments.binary, "digest", out / "out", "--threshold", threshold]
            run(*digest, "--quiet")
            found = json.loads((out / "out" / "digest.json").read_text(encoding="utf-8"))
            stories = [[s["id"] for s in story["sources"]] for story in found["stories"]]
            copies = sum("copy_of" in s for story in found["stories"] for s in story["sources"])
            for part, names in parts.items():
                of_part = {name for story in stories for name in story if story_of(name) in names}
                precision, recall, f1 = (100 * x for x in scores(stories, of_part))
                told = len({i for i, story in enumerate(stories) if of_part & set(story)})
                print(
                    f"{threshold:>9}  {part:4}  {precision:9.1f}  {recall:6.1f}  {f1:5.1f}"
                    f"  {told:8}{copies:8}"
                )


if __name__ == "__main__":
    main()

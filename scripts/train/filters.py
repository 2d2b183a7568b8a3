"""What is not worth training on, or must not be trained on."""

import re
import statistics
import sys
import unicodedata
from collections import Counter
from functools import cache

from polygist_scripts.data import flores_languages
from polygist_scripts.prompts import LANGUAGES
from polygist_scripts.translation import is_copy, normalized
from sets import Row

LONGEST = 1500  # characters of a line
# A pair is left out when one side is this many times longer than is usual for the two languages.
RATIO = 2.2
SHORT = 20  # characters below which lengths say little
OWN_SCRIPT = 0.5  # least share of the letters
# Marks of the model and of the prompt, which would be taken for the end of the text.
MARKS = re.compile(r"<[a-z_]+>|<unused\d+>|\[multimodal\]|\n")
# First words of the Unicode names of each script's letters, where they are not the script's own
# name.
UNICODE = {"Han": ("CJK",), "Kana": ("HIRAGANA", "KATAKANA", "CJK"), "Odia": ("ORIYA",)}
SENTENCE_END = re.compile(r"(?<=[.!?…।])\s+|(?<=[。！？])")


@cache
def script(char: str) -> str:
    return unicodedata.name(char, "").split(" ")[0]


def in_script(text: str, code: str) -> bool:
    """Whether most letters of a text belong to the scripts of its language."""
    wanted = {name for s in LANGUAGES[code]["scripts"] for name in UNICODE.get(s, (s.upper(),))}
    letters = [script(c) for c in text if c.isalpha()]
    return bool(letters) and sum(name in wanted for name in letters) >= OWN_SCRIPT * len(letters)


class Flores:
    """FLORES dev in every language: it measures translation and is never trained on."""

    def __init__(self) -> None:
        texts = flores_languages().values()
        self.lines = {normalized(line) for lines in texts for line in lines} - {""}
        if not self.lines:
            sys.exit(
                "flores-dev has no texts; without them nothing can be kept out of the training data"
            )

    def holds(self, text: str) -> bool:
        """Whether a text is one of them, or contains one as a sentence or a whole."""
        return normalized(text) in self.lines or any(
            normalized(s) in self.lines for s in SENTENCE_END.split(text)
        )


def keep_pairs(code: str, rows: list[Row], flores: Flores, dropped: Counter[str]) -> list[Row]:
    """The rows of a language worth training on; `dropped` counts the others by reason."""
    ratio = statistics.median(
        len(text) / max(1, len(english)) for text, english, *_ in rows if len(english) >= SHORT
    )
    seen: set[tuple[str, str]] = set()
    kept: list[Row] = []
    for text, english, name, number in rows:
        text, english = text.strip(), english.strip()
        key = (normalized(text), normalized(english))
        relative = len(text) / max(1, len(english)) / ratio
        long = len(english) >= SHORT or len(text) >= SHORT * ratio
        if not key[0] or not key[1]:
            reason = "empty"
        elif max(len(text), len(english)) > LONGEST:
            reason = "too long"
        elif MARKS.search(text) or MARKS.search(english):
            reason = "marks"
        elif flores.holds(text) or flores.holds(english):
            reason = "in FLORES dev"
        elif key in seen:
            reason = "duplicate"
        elif is_copy(text, english):
            reason = "copy"
        elif long and not 1 / RATIO <= relative <= RATIO:
            reason = "length ratio"
        elif not in_script(text, code) or not in_script(english, "en"):
            reason = "script"
        else:
            seen.add(key)
            kept.append((text, english, name, number))
            continue
        dropped[reason] += 1
    return kept


def keep_summary(code: str, article: str, summary: str, flores: Flores) -> str | None:
    """`None` for an article and its summary worth training on, or the reason why not."""
    words = len(article.split()), len(summary.split())
    if words[1] < 6 or words[0] < 3 * words[1]:
        return "length ratio"
    if MARKS.search(article) or MARKS.search(summary):
        return "marks"
    if not in_script(article, code) or not in_script(summary, code):
        return "script"
    if flores.holds(article) or flores.holds(summary):
        return "in FLORES dev"
    if normalized(article).startswith(normalized(summary)):
        return "copy"
    return None

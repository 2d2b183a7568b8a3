"""What a translation is worth beside a human one, from 0 to 1.

Without torch: worker processes load it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from sacrebleu.metrics import CHRF

NUMBERS = 0.15  # what wrong numbers cost at most
UNFINISHED = 0.5  # factor for a text that did not come to its end

# Between digits: points, commas, apostrophes; spaces of all kinds where three digits follow, so
# that two numbers stay two.
SEPARATED = re.compile(r"(?<=\d)(?:[.,'’٫٬،、，．]|[ \u00a0\u2009\u202f](?=\d{3}(?!\d)))(?=\d)")


def numbers(text: str) -> Counter[str]:
    """The numbers of a text in ASCII digits, each as often as it occurs."""
    digits = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c for c in SEPARATED.sub("", text)
    )
    return Counter(re.findall(r"[0-9]+", digits))


def agreement(ours: Counter[str], theirs: Counter[str]) -> float | None:
    """F1 of two multisets; `None` when both are empty."""
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else None


def rewards(reference: str, texts: Sequence[str], finished: Sequence[bool]) -> list[float]:
    """What each of several translations of the same text is worth. `finished` says of each whether
    it came to its end.
    """
    # chrF++ where words are written apart, else chrF; with as much weight on precision as on
    # recall, since what is too long is no better.
    measure = CHRF(
        word_order=2 if " " in reference.strip() else 0, beta=1, references=[[reference]]
    )
    expected, result = numbers(reference), []
    for text, complete in zip(texts, finished, strict=True):
        if not text:
            result.append(0.0)
            continue
        value = measure.corpus_score([text], None).score / 100
        same = agreement(numbers(text), expected)
        if same is not None:
            value = max(0.0, value - NUMBERS * (1 - same))
        result.append(value if complete else value * UNFINISHED)
    return result


def of_group(group: tuple[str, Sequence[str], Sequence[bool]]) -> list[float]:
    """`rewards` of one (reference, texts, finished), for a pool of processes."""
    return rewards(*group)

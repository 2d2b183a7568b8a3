"""ROUGE-1, ROUGE-2 and ROUGE-L (F1) for texts in any language.

The usual implementations drop every letter outside a-z. Here a token is a run of letters, marks and
digits of any script; characters of scripts that are written without spaces are tokens of their own.
For plain English the scores equal those of rouge_score without stemming (`python rouge.py --check`
compares them when that package is installed).

Usage: rouge.py SYSTEM REFERENCE   mean F1 over the lines of two files
"""

import argparse
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence

# ROUGE-1, ROUGE-2 and ROUGE-L, each from 0 to 1.
Scores = tuple[float, float, float]
# Scripts without spaces between words: first and last code point of their main blocks.
UNSPACED = [
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x20000, 0x3FFFF),  # Han, further extensions
]


def is_unspaced(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in UNSPACED)


def tokenize(text: str) -> list[str]:
    """Lower-case tokens of a text."""
    tokens: list[str] = []
    word: list[str] = []

    def end_word() -> None:
        if word:
            tokens.append("".join(word))
            word.clear()

    for char in unicodedata.normalize("NFKC", text).lower():
        kind = unicodedata.category(char)[0]
        if kind == "M" and not word and tokens and is_unspaced(tokens[-1][-1]):
            tokens[-1] += char  # a vowel sign or tone belongs to the letter before it
        elif kind in "LN" and is_unspaced(char):
            end_word()
            tokens.append(char)
        elif kind in "LN" or (kind == "M" and word):
            word.append(char)
        else:
            end_word()
    end_word()
    return tokens


def f1(overlap: int, system: int, reference: int) -> float:
    """Harmonic mean of precision and recall."""
    if not overlap:
        return 0.0
    precision, recall = overlap / system, overlap / reference
    return 2 * precision * recall / (precision + recall)


def ngrams(tokens: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[i:] for i in range(n))))


def lcs_length(a: list[str], b: list[str]) -> int:
    """Length of the longest common subsequence, one big integer a row (Hyyrö 2004)."""
    where: dict[str, int] = {}
    for i, token in enumerate(b):
        where[token] = where.get(token, 0) | 1 << i
    row = full = (1 << len(b)) - 1
    for token in a:
        matches = row & where.get(token, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(b) - row.bit_count()


def score(system: str, reference: str) -> Scores:
    """(ROUGE-1, ROUGE-2, ROUGE-L) of one text against one reference, each from 0 to 1."""
    a, b = tokenize(system), tokenize(reference)

    def shared(n: int) -> float:
        x, y = ngrams(a, n), ngrams(b, n)
        return f1((x & y).total(), x.total(), y.total())

    return shared(1), shared(2), f1(lcs_length(a, b), len(a), len(b))


def score_many(system: str, references: Sequence[str]) -> Scores:
    """Mean over several references of one text."""
    return mean([score(system, reference) for reference in references])


def mean(scores: Sequence[Scores]) -> Scores:
    """Mean of a list of (ROUGE-1, ROUGE-2, ROUGE-L)."""
    if not scores:
        return 0.0, 0.0, 0.0
    one, two, longest = (sum(column) / len(scores) for column in zip(*scores))
    return one, two, longest


def check() -> None:
    """Compares with rouge_score on English texts."""
    try:
        from rouge_score import rouge_scorer
    except ImportError:
        sys.exit("rouge.py --check needs the package rouge_score: pip install rouge-score")
    texts = [
        "The cat sat on the mat.",
        "On the mat, a cat; it sat there!",
        "Profits rose 2% to $11.1bn from $10.9bn in 2004, the U.S. firm said.",
        "The U.S. firm's profits were up 2 per cent: $11.1bn in 2004.",
        "Nothing in common",
        "the the the the cat",
    ]
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    for system in texts:
        for reference in texts:
            expected = tuple(x.fmeasure for x in scorer.score(reference, system).values())
            found = score(system, reference)
            if any(abs(x - y) > 1e-9 for x, y in zip(expected, found)):
                sys.exit(f"{system!r} against {reference!r}: rouge_score {expected}, here {found}")
    print(f"{len(texts) ** 2} pairs equal rouge_score's F1")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("system", nargs="?", help="one text a line")
    parser.add_argument("reference", nargs="?", help="one text a line, aligned")
    parser.add_argument(
        "--check", action="store_true", help="compare with rouge_score on English texts"
    )
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    if not arguments.reference:
        parser.error("give two files, or --check")
    with (
        open(arguments.system, encoding="utf-8") as a,
        open(arguments.reference, encoding="utf-8") as b,
    ):
        system, reference = a.read().splitlines(), b.read().splitlines()
    if len(system) != len(reference):
        sys.exit(
            f"{arguments.system} has {len(system)} lines, {arguments.reference} {len(reference)}: "
            "they must be aligned"
        )
    one, two, longest = (100 * x for x in mean(list(map(score, system, reference))))
    print(f"ROUGE-1 {one:.2f}  ROUGE-2 {two:.2f}  ROUGE-L {longest:.2f}")


if __name__ == "__main__":
    main()

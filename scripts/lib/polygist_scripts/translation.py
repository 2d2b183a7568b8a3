"""The pairs of languages that are measured, and what counts as a copy of the source."""

import re
import unicodedata
from collections import Counter

INTO_ENGLISH = ["fr", "de", "ru", "ar", "es", "zh", "tr", "hi", "ja", "uk"]
FROM_ENGLISH = ["fr", "de", "ru", "ar", "es", "zh", "tr", "hi"]
PAIRS = [
    *(f"{code}-en" for code in INTO_ENGLISH),
    *(f"en-{code}" for code in FROM_ENGLISH),
    "fr-de",
    "ru-fr",
]


def normalized(text: str) -> str:
    """Letters and digits only, in one case and form."""
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def is_copy(source: str, output: str) -> bool:
    """Whether a translation equals its source, or shares more than 80% of its words with it."""
    source, output = normalized(source), normalized(output)
    if not source or not output:
        return False
    if source == output:
        return True
    # Where words are not set apart, the characters stand for them.
    spaceless = source.count(" ") < len(source) / 20
    units = [
        Counter(text.replace(" ", "") if spaceless else text.split()) for text in (source, output)
    ]
    common = (units[0] & units[1]).total()
    return common > 0.8 * max(units[0].total(), units[1].total())

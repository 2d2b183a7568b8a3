"""Makes `models/number_words.txt` out of CLDR's rules for spelling numbers out.

And the numbers of the fixture `tests/fixtures/number_words.tsv`, which the rules spelled as well.

    pip install -e "./scripts[data]"
    npm pack cldr-rbnf@48.2.0 && tar xf cldr-rbnf-*.tgz
    python scripts/data/number_words.py package/rbnf

Needs PyICU, which evaluates the rules. What the reader (`src/text/numbers/number_words.rs`) puts
together by itself is left out: the sums of the function `composes` are those of the reader.
"""

import pathlib
import random
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import icu

ROOT = pathlib.Path(__file__).parents[2]
Spell = Callable[[int], str]  # a number in words
HEADER = """\
# Numbers written as words, made by scripts/data/number_words.py from the rule-based number formats of CLDR 48 (Unicode License V3, SPDX
# Unicode-3.0: https://www.unicode.org/license.txt), with the words of that script's EXTRA. Do not edit by hand.
#
# [language], then a value and its phrases, divided by "|". A dot after the value: ordinals. "~": words that mean something else, too.
# "+": words that may stand between the parts of a number. What the parts add up to is not listed.
"""  # noqa: E501
# Languages, and the files of rules for each.
LANGUAGES = {
    code: [code]
    for code in (
        "af ar az be bg ca cs da el en es et fa fi he hi hr hu hy id is it ka kk ko lt lv mk ms nl "
        "pl ro ru sk sl sq sv tr uk vi"
    ).split()
}
LANGUAGES |= {
    "de": ["de", "de_CH"],
    "fr": ["fr", "fr_BE", "fr_CH"],
    "no": ["no", "nn"],
    "pt": ["pt", "pt_PT"],
    "sr": ["sr", "sr_Latn"],
}
# What stands between the parts of a number, or is written together with the part after it.
JOINTS = {
    "af": "en",
    "ar": "و",
    "bg": "и",
    "ca": "i",
    "da": "og",
    "de": "und",
    "en": "and",
    "es": "y",
    "et": "ja",
    "fa": "و",
    "fr": "et",
    "he": "ו",
    "hr": "i",
    "is": "og",
    "it": "e",
    "mk": "и",
    "nl": "en",
    "no": "og",
    "pt": "e",
    "ro": "și|şi",
    "sl": "in",
    "sq": "e",
    "sr": "и|i",
    "sv": "och",
}
# What the rules lack. Old and new spellings, cases.
EXTRA = {
    "cs": {
        5: "pěti",
        6: "šesti",
        7: "sedmi",
        8: "osmi",
        9: "devíti",
        10: "deseti",
        11: "jedenácti",
        12: "dvanácti",
        3: "tří|třem|třech|třemi",
        4: "čtyř|čtyřem|čtyřech|čtyřmi",
        20: "dvaceti",
        30: "třiceti",
        40: "čtyřiceti",
        50: "padesáti",
    },
    "sk": {
        3: "traja|troch|trom|tromi",
        4: "štyria|štyroch|štyrom|štyrmi",
        5: "piati|piatich|piatim|piatimi",
        6: "šiesti|šiestich",
        7: "siedmi|siedmich",
        8: "ôsmi|ôsmich",
        9: "deviati|deviatich",
        10: "desiati|desiatich",
    },
    "uk": {
        3: "трьох|трьом|трьома",
        4: "чотирьох|чотирьом|чотирма",
        5: "п'яти|п'ятьох|п'ятьма",
        6: "шести|шістьох|шістьма",
        7: "семи|сімох|сьома",
        8: "восьми|вісьмох|вісьма",
        9: "дев'яти|дев'ятьох",
        10: "десяти|десятьох",
        11: "одинадцяти",
        12: "дванадцяти",
        13: "тринадцяти",
        14: "чотирнадцяти",
        15: "п'ятнадцяти",
        16: "шістнадцяти",
        17: "сімнадцяти",
        18: "вісімнадцяти",
        19: "дев'ятнадцяти",
        20: "двадцяти",
        30: "тридцяти",
        50: "п'ятдесяти",
        60: "шістдесяти",
    },
    "el": {3: "τριών", 4: "τεσσάρων"},
    "bg": {
        3: "трима",
        4: "четирима",
        5: "петима",
        6: "шестима",
        20: "двадесет",
        30: "тридесет",
        40: "четиридесет",
        60: "шестдесет",
    },
    "de": {3: "dreier", 4: "vierer"},
    "hr": {
        3: "trojica|troje|triju",
        4: "četvorica|četvero|četiriju",
        5: "petorica|petero",
        6: "šestorica|šestero",
    },
    "no": {7: "syv", 20: "tyve", 30: "tredve"},
    "az": {7: "yeddi"},
    "en": {3: "trio|threesome", 4: "quartet|foursome|foursomes|fourball|fourballs"},
    "it": {3: "tré"},
    "ar": {12: "اثني عشر|اثنتي عشرة"},
    "vi": {24: "hai mươi tư", 34: "ba mươi tư"},
}
# Words that are commoner as something else: they explain a number, and are never held against
# anyone.
AMBIGUOUS = {
    "ar": "ست|عشر|مائة|ألف",
    "az": "on|altı",
    "ca": "sis|set|nou|deu",
    "cs": "sto",
    "en": "trio|threesome|quartet|foursome|foursomes|fourball|fourballs",
    "es": "once|cien|ciento|mil",
    "fa": "سی|ده|صد|شش",
    "fi": "sata",
    "fr": "cent|mille",
    "he": "שש|שבע|מאה|אלף|עשר|עשרה",
    "hi": "सौ",
    "hr": "sto",
    "hu": "hat|száz|ezer",
    "it": "sei|cento|mille",
    "ko": "세|네|열|쉰|서|너",
    "pl": "sto",
    "pt": "cem|cento|mil",
    "ro": "mie|sută",
    "ru": "сто",
    "sl": "sto|pet",
    "tr": "on|altı|yedi|yüz|bin|kırk",
    "uk": "сто|сьома",
    "vi": "tư|ba",
}
# Numerals that are syllables of everything: not even read.
OMITTED = {
    "ko": "이|삼|사|오|육|칠|팔|구|십|백|천|만|일|한|두",
    "vi": "năm",
    "en": "second|seconds",
    "es": "segundos",
    "ca": "segons",
    "pt": "segundos",
    "it": "secondi|none",
    "fi": "toista",
}
JOINERS = "-‐‑ \u00a0'’ʼ\u200c"


# Sets of rules for the cases of the declining languages.
CASES = re.compile("tive|personal|animate|ssive|lative|mental|prepositional")


def tokens(phrase: str) -> list[str]:
    """The words of a phrase as the reader sees them."""
    phrase = phrase.lower().replace("\u00ad", "").replace("\u0307", "")
    phrase = re.sub("[\u064b-\u0652\u0640]", "", phrase).translate(
        str.maketrans("أإآىیکё", "اااييكе")
    )
    return [t for t in re.split(f"[{JOINERS}]+", unicodedata.normalize("NFC", phrase)) if t]


def composes(phrase: str, value: int, known: Mapping[str, int], joints: Sequence[str]) -> bool:
    """Whether the reader adds the phrase up from those it knows."""
    words = phrase.split(" ")
    for cut in range(1, len(words)):
        tail = " ".join(words[cut:])
        tails = [tail] + [tail[len(j) :].lstrip() for j in joints if tail.startswith(j)]
        if any(fits(known.get(" ".join(words[:cut])), known.get(tail), value) for tail in tails):
            return True
    if len(words) > 1 or len(phrase) < 6:
        return False
    for cut in range(2, len(phrase) - 1):
        tails = [phrase[cut:]] + [
            phrase[cut + len(j) :] for j in joints if phrase[cut:].startswith(j)
        ]
        if any(fits(known.get(phrase[:cut]), known.get(tail), value) for tail in tails):
            return True
    return False


def fits(head: int | None, tail: int | None, value: int) -> bool:
    if head is None or tail is None or head < 10:
        return False
    zeros = len(str(head)) - len(str(head).rstrip("0"))
    return tail < 10**zeros and head + tail == value


def is_usual(code: str, name: str) -> bool:
    """Whether a set of rules spells the numbers that stand in texts."""
    if not re.search("cardinal|construct|numbering|ordinal", name):
        return False
    # In Finnish, plural numerals count pairs and sets.
    unusual = "financial|year|days|-count|%%" + ("|plural" if code == "fi" else "")
    return not re.search(unusual, name)


def speller(rules: Any, name: str) -> Spell:
    """One set of rules as a function."""
    return lambda number: icu.RuleBasedNumberFormat.format(rules, number, name)


def formats(folder: pathlib.Path, codes: Sequence[str]) -> Iterator[tuple[Spell, str]]:
    """A function for each set of rules, and its name."""
    for code in codes:
        text = (folder / f"{code}-SpelloutRules.txt").read_text()
        rules = icu.RuleBasedNumberFormat(text, icu.Locale(code))
        for number in range(rules.getNumberOfRuleSetNames()):
            name = rules.getRuleSetName(number)
            if is_usual(code, name):
                yield speller(rules, name), name


def variants(code: str, phrase: str) -> Iterator[str]:
    """Spellings that the rules do not give."""
    yield phrase
    if code == "ar":
        yield phrase.replace("مائة", "مئة")
        yield re.sub("ون$", "ين", phrase)
        yield phrase if "مائة" in phrase else re.sub("ة(?= |$)", "", phrase)
    if code == "bg":
        phrase = phrase.replace("найсет", "надесет")
        yield phrase
        yield phrase + "те"
    if code == "no" and " og " in phrase:
        yield phrase.replace(" og ", " ")


def heads(all_formats: Iterable[tuple[Spell, str]], n: int, joints: Sequence[str]) -> Iterator[str]:
    """The forms that tens, hundreds and thousands have before a smaller part: "trois cent", where
    the number alone is "trois cents".
    """
    if n < 10 or set(str(n)[1:]) != {"0"}:
        return
    for format in (f for f, name in all_formats if "ordinal" not in name):
        for unit in (5, 8):
            whole, part = " ".join(tokens(format(n + unit))), " ".join(tokens(format(unit)))
            head = whole.removesuffix(part).rstrip()
            if head and head != whole:
                yield next(
                    (head.removesuffix(j).rstrip() for j in joints if head.endswith(" " + j)), head
                )


def section(folder: pathlib.Path, code: str, codes: Sequence[str]) -> list[str]:
    joints = JOINTS.get(code, "").split("|") if code in JOINTS else []
    omitted, ambiguous = (
        OMITTED.get(code, "").split("|"),
        [" ".join(tokens(w)) for w in AMBIGUOUS.get(code, "").split("|")],
    )
    all_formats = list(formats(folder, codes))
    cardinals: dict[str, int] = {}
    ordinals: dict[str, int] = {}
    hundreds, thousands = (
        range(100, 1000, 100),
        [m * n for m in (1000, 10000, 100000) for n in range(1, 10)],
    )
    for n in [*range(1, 100), *hundreds, *thousands]:
        spelled = [
            f(n)
            for f, name in all_formats
            if "ordinal" not in name and (n < 1000 or not CASES.search(name))
        ]
        spelled += heads(all_formats, n, joints)
        spelled += EXTRA.get(code, {}).get(n, "").split("|")
        for words in (tokens(v) for s in spelled for v in variants(code, s)):
            phrase = " ".join(words)
            # Thousands in a word of their own are the reader's magnitudes.
            if not words or (n >= 10000 and len(words) > 1):
                continue
            if any(c.isdigit() for c in phrase) or phrase in omitted or phrase in cardinals:
                continue
            if not composes(phrase, n, cardinals, joints):
                cardinals[phrase] = n
    for n in [*range(1, 32), *range(40, 101, 10)]:
        spelled = [f(n) for f, name in all_formats if "ordinal" in name]
        spelled += [
            s + "s"
            for s in spelled
            if code in ("en", "fr", "es", "pt", "ca") and not s.endswith("s")
        ]
        for phrase in (" ".join(tokens(s)) for s in spelled):
            known = cardinals | ordinals
            if not phrase or any(c.isdigit() for c in phrase):
                continue
            # The head of a composed ordinal is a cardinal.
            if (
                phrase not in omitted
                and phrase not in known
                and not composes(phrase, n, known, joints)
            ):
                ordinals[phrase] = n
    lines = [f"[{code}]"] + (
        [f"+ {'|'.join(' '.join(tokens(j)) for j in joints)}"] if joints else []
    )
    clear = {phrase: n for phrase, n in cardinals.items() if phrase not in ambiguous}
    unclear = {phrase: n for phrase, n in cardinals.items() if phrase in ambiguous}
    for mark, phrases in (("", clear), ("~", unclear), (".", ordinals)):
        by_value: dict[int, list[str]] = {}
        for phrase, n in phrases.items():
            by_value.setdefault(n, []).append(phrase)
        lines += [f"{n}{mark} {'|'.join(by_value[n])}" for n in sorted(by_value)]
    return lines


def samples(
    folder: pathlib.Path, code: str, codes: Sequence[str], draw: random.Random
) -> Iterator[str]:
    """Numbers as the rules spell them, for the tests."""
    cardinal = next(
        f
        for f, name in formats(folder, codes[:1])
        if name.startswith("%spellout-cardinal") and "sinokorean" not in name
    )
    # Nobody writes greater ones in Korean words.
    most = 100 if code == "ko" else 10000
    for n in sorted(draw.sample(range(3, 100), 12) + draw.sample(range(100, 10000), 8)):
        if n >= most:
            continue
        yield f"{code}\t{n}\t{cardinal(n)}"


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    draw = random.Random(1)
    lines: list[str] = []
    fixture: list[str] = []
    for code, codes in sorted(LANGUAGES.items()):
        lines += section(folder, code, codes)
        fixture += samples(folder, code, codes, draw)
    (ROOT / "models/number_words.txt").write_text(HEADER + "\n".join(lines) + "\n")
    (ROOT / "tests/fixtures/number_words.tsv").write_text("\n".join(fixture) + "\n")


if __name__ == "__main__":
    main()

"""Trains `models/language_weights.bin`, by which languages of one script are told apart.

    pip install -e "./scripts[data]"
    cargo fetch                                    # in a crate that depends on lingua 1.8
    apt-get download firefox-esr-l10n-{gl,oc,…}    # the codes are in FIREFOX below
    python scripts/data/language_weights.py lingua=~/.cargo/registry/src/INDEX firefox=debs \
        parallel=../shared/data/parallel

The model is linear: a vector for each bucket of hashed n-grams (1 to 4 characters within a word,
and the word), their sum divided by the root of their number, and a row of weights a class. What
`src/text/language/weights.rs` reads is written by `write`, and counted as `features` does here.
Classes are languages, languages in Latin letters instead of their own (`ru-Latn`), and `und` for
what is no language. The training is deterministic on one machine.

Only weights enter the repository. The texts that they are estimated from: the test sentences, words
and word pairs of the lingua-*-language-model crates (Apache-2.0, out of the Wortschatz corpora of
Leipzig University), the translations of Firefox's user interface (MPL-2.0), and public parallel
texts by human translators without NTREX, its source WMT 2019, and FLORES, which measure the result.
"""

import glob
import io
import pathlib
import random
import re
import struct
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy import sparse

ROOT = pathlib.Path(__file__).parents[2]
BUCKETS, SIZE, ORDER = 1 << 16, 24, 4
SAMPLES, BATCH, SEED = 2_600_000, 1024, 20260
LATIN, CYRILLIC, ARABIC, DEVANAGARI = "Latin", "Cyrillic", "Arabic", "Devanagari"
# The languages by script; those of much news are drawn twice as often, and
# small relatives of large languages less often.
CLASSES = {
    LATIN: (
        "af az bs ca cs cy da de en eo es et eu fi fr ga gl hr hu id is it la lt lv ms nl nn no oc "
        "pl pt ro sk sl sq sr-Latn sv sw tl tr uz vi zu xh st tn ts sn so yo lg mi br "
        "ru-Latn uk-Latn bg-Latn el-Latn hi-Latn ar-Latn und"
    ).split(),
    CYRILLIC: "be bg kk mk mn ru sr tg uk".split(),
    ARABIC: "ar fa ur".split(),
    DEVANAGARI: "hi mr ne".split(),
}
NEWS = set(
    "ar az bg cs da de en es fa fi fr hi hr hu id it kk nl no pl pt ro ru sv tr uk vi".split()
)
LINGUA = {
    "af": "afrikaans", "sq": "albanian", "ar": "arabic", "az": "azerbaijani", "eu": "basque",
    "be": "belarusian", "no": "bokmal", "bs": "bosnian", "bg": "bulgarian", "ca": "catalan",
    "hr": "croatian", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english",
    "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french", "lg": "ganda",
    "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian", "is": "icelandic",
    "id": "indonesian", "ga": "irish", "it": "italian", "kk": "kazakh", "la": "latin",
    "lv": "latvian", "lt": "lithuanian", "mk": "macedonian", "ms": "malay", "mi": "maori",
    "mr": "marathi", "mn": "mongolian", "nn": "nynorsk", "fa": "persian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sn": "shona",
    "sk": "slovak", "sl": "slovene", "so": "somali", "st": "sotho", "es": "spanish",
    "sw": "swahili", "sv": "swedish", "tl": "tagalog", "ts": "tsonga", "tn": "tswana",
    "tr": "turkish", "uk": "ukrainian", "ur": "urdu", "vi": "vietnamese", "cy": "welsh",
    "xh": "xhosa", "yo": "yoruba", "zu": "zulu",
}  # fmt: skip
FIREFOX = {
    code: code
    for code in (
        "af az be bg br bs ca cs cy da de eo et eu fa fi fr gl hr hu id is it kk lt lv mk mr "
        "ms nl oc pl ro ru sk sl sq sr tg tl tr uk ur uz vi"
    ).split()
} | {"es": "es-es", "ga": "ga-ie", "hi": "hi-in", "ne": "ne-np", "nn": "nn-no", "no": "nb-no",
     "pt": "pt-pt", "sv": "sv-se"}  # fmt: skip
MOST = 25_000  # lines of a language
MEASURED = ("ntrex", "wmt19", "flores")

# ---- texts


def lingua(folder: str, language: str) -> Iterator[str]:
    for name, times in (("sentences", 2), ("word-pairs", 1), ("single-words", 1)):
        for path in glob.glob(f"{folder}/lingua-{language}-language-model-*/testdata/{name}.txt"):
            for _ in range(times):
                yield from pathlib.Path(path).read_text("utf-8").splitlines()


def firefox(folder: str, code: str) -> Iterator[str]:
    """The texts of a translation of the user interface, without markup and placeholders."""
    for path in glob.glob(f"{folder}/firefox-esr-l10n-{code}_*.deb"):
        tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(tar.stdout)) as files:
            for member in files:
                content = files.extractfile(member) if member.name.endswith(".xpi") else None
                if content is None:
                    continue
                with zipfile.ZipFile(io.BytesIO(content.read())) as pack:
                    for name in sorted(pack.namelist()):
                        if name.endswith((".ftl", ".properties")):
                            for line in pack.read(name).decode("utf-8", "replace").splitlines():
                                _, sign, value = line.partition("=")
                                value = re.sub(r"\{[^}]*\}|<[^>]*>|%\S*|\\n|&\S*", " ", value)
                                if sign and len(value.split()) >= 3:
                                    yield value.strip()


def parallel(folder: str, code: str) -> Iterator[str]:
    path = pathlib.Path(folder, f"{code}-en.tsv")
    if code == "en":
        files, column = sorted(pathlib.Path(folder).glob("*-en.tsv")), 1
    else:
        files, column = [path] if path.exists() else [], 0
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            row = line.split("\t")
            if len(row) >= 3 and not any(name in row[2] for name in MEASURED):
                yield row[column]


def phrases() -> dict[str, list[str]]:
    lines = pathlib.Path(__file__).with_name("phrases.txt").read_text("utf-8").splitlines()
    rows = (line.split(": ", 1) for line in lines if not line.startswith("#"))
    return {code: row.split(" | ") for code, row in rows}


def texts(sources: dict[str, str]) -> dict[str, list[str]]:
    english = set(firefox(sources["firefox"], "en-gb"))
    found = {}
    for code in [code for codes in CLASSES.values() for code in codes] + ["el"]:
        lines = list(lingua(sources["lingua"], LINGUA[code])) if code in LINGUA else []
        if code in FIREFOX:
            lines += [
                line for line in firefox(sources["firefox"], FIREFOX[code]) if line not in english
            ]
        more = [
            line for line in dict.fromkeys(parallel(sources["parallel"], code)) if len(line) > 3
        ]
        random.Random(SEED).shuffle(more)
        found[code] = lines + more[: max(0, MOST - len(lines))]
    return found


# ---- other letters

SERBIAN = dict(
    zip(
        "абвгдђежзијклљмнњопрстћуфхцчџш",
        "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š".split(),
    )
)
RUSSIAN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch  y  e yu ya".split(" "),
    )
)
RUSSIAN_2 = RUSSIAN | {
    "х": "h",
    "ц": "c",
    "ь": "'",
    "й": "j",
    "щ": "sch",
    "ю": "ju",
    "я": "ja",
    "ё": "yo",
}
UKRAINIAN = RUSSIAN | {"г": "h", "ґ": "g", "є": "ye", "и": "y", "і": "i", "ї": "yi", "й": "y"}
BULGARIAN = RUSSIAN | {"х": "h", "щ": "sht", "ъ": "a", "ь": "y"}
GREEK = dict(
    zip("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split())
)
GREEK_2 = GREEK | {"η": "h", "θ": "8", "υ": "u", "χ": "x", "ω": "w", "β": "b", "ξ": "ks"}
ARABIZI = dict(zip(
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءأإآؤئ",
    "a b t th j 7 kh d th r z s sh s d t z 3 gh f 2 k l m n h w y a a 2 a e a 2 2".split(),
))  # fmt: skip
ARABIZI_2 = ARABIZI | {
    "ج": "g",
    "خ": "5",
    "ق": "q",
    "ص": "9",
    "ط": "6",
    "و": "o",
    "ي": "i",
    "غ": "3'",
}
CONSONANTS = dict(zip(
    "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहड़ढ़",
    "k kh g gh ch chh j jh t th d dh n t th d dh n p ph b bh m y r l v sh sh s h d  dh ".split(" "),
))  # fmt: skip
VOWELS = dict(zip("अआइईउऊएऐओऔऋ", "a aa i ee u oo e ai o au ri".split()))
SIGNS = dict(zip("ािीुूेैोौृंँः", "a i i u u e ai o au ri n n h".split()))


def letters(text: str, table: dict[str, str]) -> str:
    plain = unicodedata.normalize("NFD", text.lower()) if "α" in table else text.lower()
    return "".join(table.get(c, c if ord(c) < 128 or c.isspace() else "") for c in plain)


def hindi(text: str, _: random.Random) -> str:
    """Hindi as it is typed: a consonant carries an "a" but at the end of its word."""
    out = []
    for word in re.split(r"(\s+)", text):
        word = unicodedata.normalize("NFC", word).replace("़", "")
        for i, c in enumerate(word):
            after = word[i + 1] if i + 1 < len(word) else ""
            if c in CONSONANTS:
                vowel = after and after not in SIGNS and after != "्" and not after.isascii()
                middle = i > 0 and i + 3 == len(word) and word[-1] in SIGNS
                out.append(CONSONANTS[c] + ("a" if vowel and not middle else ""))
            else:
                out.append(VOWELS.get(c, SIGNS.get(c, c if c.isascii() else "")))
    return "".join(out)


def arabizi(text: str, rng: random.Random) -> str:
    """Arabic as it is typed: with some of the vowels that its own script leaves out."""
    table = rng.choice((ARABIZI, ARABIZI_2))
    out = []
    for word in text.split():
        word = re.sub("^ال", "el" if rng.random() < 0.5 else "al", word)
        typed = ""
        for c in word:
            sound = table.get(c, c if ord(c) < 128 else "")
            if typed and sound and typed[-1] not in "aeiou2" and sound[0] not in "aeiou":
                typed += rng.choices("aei", (5, 3, 3))[0] if rng.random() < 0.55 else ""
            typed += sound
        out.append(typed)
    return " ".join(out)


def gibberish(text: str, rng: random.Random) -> str:
    kind = rng.randrange(6)
    words = text.split()[:12]
    if kind == 0:  # keys beside each other
        rows = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "asdf", "jkl", "qwer", "hjkl", "dfgh")
        return " ".join(
            "".join(
                rng.choice(rng.choice(rows)) if rng.random() < 0.4 else c
                for c in rng.choice(rows) * rng.randint(1, 2)
            )
            for _ in words
        )
    if kind == 1:
        return " ".join(
            "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 11))) for _ in words
        )
    if kind == 2:
        return " ".join(
            "".join(rng.choices("bcdfghjklmnpqrstvwxz", k=rng.randint(2, 9))) for _ in words
        )
    if kind == 3:
        return " ".join("".join(rng.sample(w, len(w))) for w in words)
    if kind == 4:  # consonants and vowels by turns
        return " ".join(
            "".join(
                rng.choice("bcdfghjklmnpqrstvwxyz") + rng.choice("aeiou")
                for _ in range(rng.randint(1, 5))
            )[: rng.randint(2, 9)]
            for _ in words
        )
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=rng.randint(8, 40)))


Typing = Callable[[str, random.Random], str]
TYPED: dict[str, tuple[str, Typing]] = {
    "ru-Latn": ("ru", lambda t, r: letters(t, r.choice((RUSSIAN, RUSSIAN_2)))),
    "uk-Latn": ("uk", lambda t, _: letters(t, UKRAINIAN)),
    "bg-Latn": ("bg", lambda t, _: letters(t, BULGARIAN)),
    "el-Latn": ("el", lambda t, r: letters(t, r.choice((GREEK, GREEK_2)))),
    "hi-Latn": ("hi", hindi),
    "ar-Latn": ("ar", arabizi),
    "sr-Latn": ("sr", lambda t, _: letters(t, SERBIAN) if re.search("[а-я]", t) else t),
    "und": ("en", gibberish),
}

# ---- features


def hashed(text: str) -> int:
    h = 0x811C9DC5
    for c in text:
        h = ((h ^ ord(c)) * 0x01000193) & 0xFFFFFFFF
    h ^= h >> 15
    return (h * 0x2C1B3C6D & 0xFFFFFFFF) >> 16


def of_word(word: str) -> np.ndarray:
    padded = f"_{word}_"
    grams = [padded[i : i + n] for n in range(1, ORDER + 1) for i in range(len(padded) - n + 1)]
    return np.array([hashed(g) for g in [*grams, padded + "w"] if g != "_"], np.int32)


def is_letter(c: str) -> bool:
    return unicodedata.category(c)[0] in "LM" or unicodedata.category(c) == "Nl"


def words(text: str) -> Iterator[str]:
    """Runs of letters and digits with a letter among them, in lower case."""
    for word in re.findall(
        r"[^\W_]+(?:[\u0300-\u036f\u0900-\u0dff\u064b-\u0652]+[^\W_]*)*", text.lower()
    ):
        if any(is_letter(c) for c in word):
            yield word


class Features:
    def __init__(self) -> None:
        self.known: dict[str, np.ndarray] = {}

    def of(self, text: str) -> np.ndarray:
        found = []
        for word in words(text):
            if word not in self.known:
                self.known[word] = of_word(word)
            found.append(self.known[word])
        return np.concatenate(found) if found else np.zeros(0, np.int32)


# ---- training


def crop(text: str, names: list[str], rng: random.Random) -> str:
    """A part of a text, most often a short one, with names from texts of other languages."""
    if rng.random() < 0.75 and len(text) > 25:
        length = int(10 * 2 ** rng.uniform(0.3, 4.2))
        if rng.random() < 0.5 or length >= len(text):
            text = text[:length]
        else:
            start = rng.randrange(len(text) - length + 1)
            text = text[start : start + length]
    if rng.random() < 0.4:
        text = " ".join(rng.choice(names) if rng.random() < 0.15 else w for w in text.split(" "))
    return text


def batches(found: dict[str, list[str]], classes: list[str]) -> Iterator[tuple]:
    rng, features, everyday = random.Random(SEED), Features(), phrases()
    script = {code: name for name, codes in CLASSES.items() for code in codes}
    weight = [
        (2.0 if code in NEWS else 1.0)
        * (1.0 if script[code] == LATIN else 0.7)
        * (0.6 if code in ("ms", "af", "nn", "bs", "mk") else 1.0)
        * (1.5 if code == "und" else 0.5 if code.endswith("-Latn") and code != "sr-Latn" else 1.0)
        for code in classes
    ]
    names = [
        word
        for code in sorted(NEWS)
        if script[code] == LATIN and code != "de"
        for line in found[code][-4000:]
        for word in line.split()[1:]
        if word[:1].isupper() and word[1:].islower() and word.isalpha()
    ]
    for _ in range(SAMPLES // BATCH):
        ids, ends, labels = [], [0], []
        for label in rng.choices(range(len(classes)), weight, k=BATCH):
            code = classes[label]
            source, typed = TYPED.get(code, (code, None))
            short = source in everyday and rng.random() < 0.05
            text = rng.choice(everyday[source] if short else found[source])
            text = typed(text, rng) if typed else text
            if not short:
                text = crop(text, names if script[code] == LATIN else [""], rng)
            bag = features.of(text)
            if len(bag):
                ids.append(bag)
                ends.append(ends[-1] + len(bag))
                labels.append(label)
        columns = np.concatenate(ids)
        rows = np.diff(ends)
        values = np.repeat(1 / np.sqrt(rows), rows).astype(np.float32)
        yield sparse.csr_matrix((values, columns, ends), (len(labels), BUCKETS)), np.array(labels)


def train(found: dict[str, list[str]]) -> tuple[list[str], np.ndarray, np.ndarray]:
    classes = [code for codes in CLASSES.values() for code in codes]
    scripts = [name for name, codes in CLASSES.items() for _ in codes]
    same = np.array([[a == b for b in scripts] for a in scripts])
    rng = np.random.default_rng(SEED)
    weights = [
        rng.normal(0, 0.05, (BUCKETS, SIZE)).astype(np.float32),
        rng.normal(0, 0.3, (len(classes), SIZE)).astype(np.float32),
    ]
    first = [np.zeros_like(w) for w in weights]
    second = [np.zeros_like(w) for w in weights]
    steps, right, seen = SAMPLES // BATCH, 0, 0
    for step, (bags, labels) in enumerate(batches(found, classes), 1):
        inner = bags @ weights[0]
        logits = np.where(same[labels], inner @ weights[1].T, -1e9)
        logits -= logits.max(1, keepdims=True)
        share = np.exp(logits)
        share /= share.sum(1, keepdims=True)
        right, seen = right + int((share.argmax(1) == labels).sum()), seen + len(labels)
        share[np.arange(len(labels)), labels] -= 1
        share /= len(labels)
        slopes = [bags.T @ (share @ weights[1]), share.T @ inner]
        rate = 0.01 * min(1, step / 100) * max(0.02, 1 - step / steps)
        for w, m, v, g in zip(weights, first, second, slopes):
            m *= 0.9
            m += 0.1 * g
            v *= 0.995
            v += 0.005 * g * g
            w -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.995**step)) + 1e-6)
        if step % 100 == 0:
            print(f"{step} of {steps}: {right / seen:.4f} right", file=sys.stderr, flush=True)
            right = seen = 0
    return classes, weights[0], weights[1]


def write(path: pathlib.Path, classes: list[str], table: np.ndarray, heads: np.ndarray) -> None:
    """Head: size of the vectors, number of classes, then scales, names, rows; all little-endian."""

    def quantized(values: np.ndarray) -> tuple[float, np.ndarray]:
        scale = float(np.quantile(np.abs(values), 0.9999)) / 127
        return scale, np.clip(np.rint(values / scale), -127, 127).astype(np.int8)

    (table_scale, table_bytes), names = quantized(table), " ".join(classes).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<IIIIf", BUCKETS, SIZE, len(classes), len(names), table_scale))
        file.write(names)
        file.write(heads.astype("<f4").tobytes())
        file.write(table_bytes.tobytes())


def main(arguments: Iterable[str]) -> None:
    sources = dict(argument.split("=", 1) for argument in arguments)
    found = texts(sources)
    print({code: len(lines) for code, lines in found.items()}, file=sys.stderr)
    classes, table, heads = train(found)
    write(ROOT / "models" / "language_weights.bin", classes, table, heads)


if __name__ == "__main__":
    main(sys.argv[1:])

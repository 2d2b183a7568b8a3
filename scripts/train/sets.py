"""The training sets: where each comes from, its licence, and whether its publisher states it."""

import io
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from polygist_scripts import data

# Text, English, set, line number.
Row = tuple[str, str, str, int]


@dataclass(frozen=True)
class Set:
    title: str
    licence: str
    stated: bool  # in the repository, or by the publisher's terms of use
    human: bool  # written by people, none of it by a machine
    commercial: bool = True  # no clause against commercial use
    documents: bool = False  # the lines follow each other as in the documents
    weight: float = 1.0  # beside the other sets of a pair

    @property
    def clean(self) -> bool:
        """Whether what is trained on it may be passed on."""
        return self.stated and self.human and self.commercial


# Names as in the third column of parallel/*.tsv; `*` stands for anything. What is not listed is
# never trained on: IWSLT (TED talks, no derivatives) is left out on purpose.
PARALLEL = {
    "ntrex": Set("NTREX-128", "CC BY-SA 4.0", True, True, documents=True, weight=1.5),
    "ntrex-BR": Set(
        "NTREX-128, Brazilian Portuguese", "CC BY-SA 4.0", True, True, documents=True, weight=1.5
    ),
    "pud": Set("Parallel Universal Dependencies", "CC BY-SA 3.0, 4.0 for cs fi pl sv", True, True),
    "tico19": Set("TICO-19", "CC0 1.0", True, True),
    "xquad-par": Set("XQuAD, paragraphs", "CC BY-SA 4.0", True, True),
    "xquad-q": Set("XQuAD, questions", "CC BY-SA 4.0", True, True, weight=0.3),
    "mt-geneval": Set("MT-GenEval", "CC BY-SA 3.0", True, True, weight=0.7),
    "mt-geneval-ctx": Set("MT-GenEval, contextual", "CC BY-SA 3.0", True, True, weight=0.7),
    "tatoeba-laser": Set(
        "Tatoeba (LASER's test set)",
        "CC BY 2.0 FR, by Tatoeba's terms of use",
        True,
        True,
        weight=0.3,
    ),
    "park-news": Set("Korean-English news (Park et al.)", "CC BY-SA 3.0", True, True, weight=0.5),
    "jhe": Set("Junior high English (JHE)", "CC BY-SA 3.0", True, True, weight=0.5),
    "nusax": Set("NusaX-MT", "CC BY-SA", True, True, weight=0.5),
    "idmt-news": Set("Indonesian MT, news", "not stated", False, True),
    "wmt*": Set("WMT news and general test sets", "not stated", False, True, documents=True),
}
# Names of the files summaries/*.jsonl.gz. Sets that scripts/eval/summaries.py measures lend only
# what it does not sample.
SUMMARIES = {
    "orangesum.fr": Set("OrangeSum, abstracts", "CC BY-SA 4.0", True, True),
    "scitldr.en": Set("SciTLDR-A", "Apache-2.0", True, True, weight=0.4),
    "norsumm.no": Set("NorSumm", "CC0 1.0", True, True),
    "vietnews.vi": Set("vietnews", "not stated", False, True),
}


def describe(name: str) -> Set | None:
    """The entry of a set of parallel text; `None` for one that is not trained on."""
    return PARALLEL.get(name) or (PARALLEL["wmt*"] if name.startswith("wmt") else None)


def entry(name: str) -> Set:
    """The entry of a set that examples were made of: summaries, or parallel text."""
    found = SUMMARIES.get(name) or describe(name)
    if found is None:
        sys.exit(f"{name} is no set of sets.py; make the examples anew with data.py")
    return found


def archive() -> Path:
    """The file with all parallel text."""
    path = data.data() / "parallel.tar.xz"
    if not path.exists():
        sys.exit(
            f"no training data: {path} is not there; set POLYGIST_DATA to the folder that has it"
        )
    return path


def parallel(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each language; those that are marked as machine translations are left out."""
    with tarfile.open(path) as held:
        members = sorted((m for m in held if m.name.endswith("-en.tsv")), key=lambda m: m.name)
        for member in members:
            file = held.extractfile(member)
            if file is None:
                sys.exit(f"{path}: {member.name} is no file")
            rows: list[Row] = []
            for number, line in enumerate(io.TextIOWrapper(file, encoding="utf-8", newline="\n")):
                columns = line.rstrip("\n").split("\t")
                if len(columns) != 4:
                    sys.exit(
                        f"{member.name}, line {number + 1}: {len(columns)} columns; "
                        "expected text, English, set, human"
                    )
                text, english, name, origin = columns
                if origin == "human":
                    rows.append((text, english, name, number))
            yield Path(member.name).name.removesuffix("-en.tsv"), rows


def summaries(name: str, measured: set[str]) -> Iterator[tuple[str, str, str]]:
    """(language, article, summary) of a set, the articles in `measured` left out."""
    for row in data.summaries(name):
        if row["article"] not in measured:
            code = {"nb": "no", "nn": "no"}.get(row["lang"], row["lang"])
            article, summary = (
                re.sub(r"\s+", " ", row[column]).strip() for column in ("article", "summary")
            )
            yield code, article, summary

"""The training sets: where each comes from, its licence, and whether its publisher states it."""

import gzip
import io
import json
import os
import re
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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
    def clean(self):
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


def describe(name):
    """The entry of a set of parallel text; `None` for one that is not trained on."""
    return PARALLEL.get(name) or (PARALLEL["wmt*"] if name.startswith("wmt") else None)


def folder():
    data = Path(os.environ.get("POLYGIST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "parallel.tar.xz").exists():
        sys.exit(
            f"no training data: {data}/parallel.tar.xz is not there; "
            "set POLYGIST_DATA to the folder that has it"
        )
    return data


def parallel():
    """(language, [(text, English, set, line number)]) of each language, marked machine translations
    left out.
    """
    with tarfile.open(folder() / "parallel.tar.xz") as archive:
        for member in sorted(
            (m for m in archive if m.name.endswith("-en.tsv")), key=lambda m: m.name
        ):
            code, rows = Path(member.name).name.removesuffix("-en.tsv"), []
            for number, line in enumerate(
                io.TextIOWrapper(archive.extractfile(member), encoding="utf-8", newline="\n")
            ):
                columns = line.rstrip("\n").split("\t")
                if len(columns) != 4:
                    sys.exit(
                        f"{member.name}, line {number + 1}: {len(columns)} columns; expected text, "
                        "English, set, human"
                    )
                if columns[3] == "human":
                    rows.append((*columns[:3], number))
            yield code, rows


def summaries(name, measured):
    """(language, article, summary) of a set, the articles in `measured` left out."""
    with gzip.open(folder() / "summaries" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["article"] not in measured:
                code = {"nb": "no", "nn": "no"}.get(row["lang"], row["lang"])
                yield (
                    code,
                    re.sub(r"\s+", " ", row["article"]).strip(),
                    re.sub(r"\s+", " ", row["summary"]).strip(),
                )

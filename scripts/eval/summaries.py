#!/usr/bin/env python3
"""Measures summaries: ROUGE against human ones, beside lead-3 and sentences ranked by words.

For every set a fixed random sample of articles is summarized by the built binary, in the article's
own language and in three sentences. The table shows mean ROUGE-1/2/L F1 (those of `polygist eval`;
over all references of an article) and, per summary, how many numbers it has that the article has
not.

    pip install -e ./scripts              # and for --plain: "./scripts[compare]"
    cargo build --release
    python3 scripts/eval/summaries.py [--sample 100] [--sets llmsumm_writers.en …]
                                      [--model auto] [--model FOLDER] [--plain MODEL.gguf]

The sets are looked for in $POLYGIST_DATA/summaries or ../shared/data/summaries beside the
repository.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from polygist_scripts.program import BINARY, require
from polygist_scripts.summaries import SETS, load

# An article of a set, with its human summaries, as `load` gives it.
Row = dict[str, Any]
SENTENCES = 3
# A sentence ends at an end mark with closing quotation marks, before white space and no lower-case
# letter, or at a line end; not after an initial or an abbreviation like "U.S." or "Dr.".
END = re.compile(r"(?P<word>[^\s.]*)[.!?…।][\"'”’»)]*\s+(?=[^\sa-zß-ÿ])|[。！？][」』”]*|\n+")
ABBREVIATION = re.compile(r"[A-ZÀ-Þ]|Mr|Mrs|Ms|Dr|St|Prof|Gen|Sen|Rep|Gov|Lt|Col|No|Jr|M|Mme")
# Each character of Chinese and Japanese is a word.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*")


def lead(text: str) -> str:
    """The first sentences."""
    sentences, start = [], 0
    for end in END.finditer(text):
        if (
            end["word"]
            and text[end.end("word")] == "."
            and ABBREVIATION.fullmatch(end["word"].lstrip("\"'“‘«("))
        ):
            continue
        sentences.append(text[start : end.end()].strip())
        start = end.end()
    sentences.append(text[start:].strip())
    return " ".join(list(filter(None, sentences))[:SENTENCES])


def polygist(binary: Path, rows: list[Row], flags: list[str]) -> list[str]:
    """Summaries of the binary, in the order of the rows; empty where an article failed."""
    with tempfile.TemporaryDirectory() as temporary:
        articles = Path(temporary) / "articles.jsonl"
        with open(articles, "w", encoding="utf-8") as out:
            for n, row in enumerate(rows):
                article = {"id": str(n), "text": row["text"], "evaluation_row": n}
                if row["title"]:
                    article["title"] = row["title"]
                out.write(json.dumps(article, ensure_ascii=False) + "\n")
        command = [
            str(binary),
            "summarize",
            "--format",
            "json",
            "--length",
            f"{SENTENCES}s",
            *flags,
            str(articles),
        ]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    if result.returncode not in (0, 2):  # 2: some articles failed
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}")
    summaries = [""] * len(rows)
    for line in filter(str.strip, result.stdout.splitlines()):
        record = json.loads(line)
        summaries[record["extra"]["evaluation_row"]] = (record.get("summary") or {}).get("text", "")
    return summaries


def plain_model(path: str, rows: list[Row]) -> list[str]:
    """What an English instruction model answers when simply asked (needs llama-cpp-python)."""
    from llama_cpp import Llama

    model = Llama(path, n_ctx=4096, verbose=False, seed=0)
    summaries = []
    for row in rows:
        text = model.detokenize(model.tokenize(row["text"].encode(), add_bos=False)[:3000]).decode(
            errors="ignore"
        )
        question = f"Summarize this news article in {SENTENCES} sentences.\n\n{text}"
        answer = model.create_chat_completion(
            [{"role": "user", "content": question}], max_tokens=200, temperature=0.0
        )
        summaries.append(answer["choices"][0]["message"]["content"])
    return summaries


def numbers(text: str) -> set[str]:
    return {re.sub(r"[.,\u00a0\u202f]", "", n) for n in NUMBER.findall(text)}


def scored(binary: Path, summaries: list[str], references: list[str]) -> list[float]:
    """Mean ROUGE-1, ROUGE-2 and ROUGE-L, by `polygist eval`, with a reference for each summary."""
    with tempfile.TemporaryDirectory() as temporary:
        files = []
        for name, texts in (("hyp", summaries), ("ref", references)):
            path = Path(temporary) / f"{name}.jsonl"
            lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts]
            path.write_text("".join(lines), encoding="utf-8")
            files += [f"--{name}", f"{path}:text"]
        command = [str(binary), "eval", "--summaries", "--format", "json", "--quiet", *files]
        result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    scores = json.loads(result.stdout)["scores"]
    return [float(scores[name]["score"]) for name in ("rouge_1", "rouge_2", "rouge_l")]


def rouge(binary: Path, rows: list[Row], summaries: list[str]) -> list[float]:
    """Mean ROUGE-1, ROUGE-2 and ROUGE-L; an article's are the mean over its references."""
    sums = [0.0, 0.0, 0.0]
    for count in sorted({len(row["references"]) for row in rows}):
        pairs = [(s, row["references"]) for s, row in zip(summaries, rows)]
        pairs = [(summary, all_of) for summary, all_of in pairs if len(all_of) == count]
        for number in range(count):
            references = [all_of[number] for _, all_of in pairs]
            means = scored(binary, [summary for summary, _ in pairs], references)
            sums = [total + mean * len(pairs) / count for total, mean in zip(sums, means)]
    return [total / len(rows) for total in sums]


def report(binary: Path, name: str, system: str, rows: list[Row], summaries: list[str]) -> None:
    scores = rouge(binary, rows, summaries)
    invented = sum(
        len(numbers(summary) - numbers(row["text"] + " " + (row["title"] or "")))
        for summary, row in zip(summaries, rows)
    )
    words = sum(len(WORD.findall(summary)) for summary in summaries) / len(rows)
    mean = " / ".join(f"{score:4.1f}" for score in scores)
    empty = summaries.count("")
    values = f"{words:8.0f}{invented / len(rows):12.2f}{empty:7}"
    print(f"{name:22}{len(rows):5}  {system:11}{mean:>20}{values}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--sample", type=int, default=100, help="articles a set")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument(
        "--model", action="append", default=[], help="also with this --summary-model; repeatable"
    )
    parser.add_argument(
        "--plain",
        metavar="MODEL.gguf",
        help="also ask this model without any checks (English sets)",
    )
    arguments = parser.parse_args()
    samples = {name: load(name, arguments.sample) for name in arguments.sets}
    binary: Path = arguments.binary
    require(binary, "--binary")
    columns = f"{'words':>8}{'unsupported':>12}{'empty':>7}"
    print(f"{'set':22}{'n':>5}  {'system':11}{'ROUGE-1 / 2 / L':>20}{columns}")
    print(f"{'':66}{'numbers':>12}")
    for name, rows in samples.items():
        report(binary, name, "lead-3", rows, [lead(row["text"]) for row in rows])
        report(binary, name, "by words", rows, polygist(binary, rows, ["--extractive"]))
        report(binary, name, "default", rows, polygist(binary, rows, []))
        for model in arguments.model:
            flags = ["--summary-model", model]
            report(binary, name, Path(model).name[:11], rows, polygist(binary, rows, flags))
        if arguments.plain and name.endswith(".en"):
            report(binary, name, "plain model", rows, plain_model(arguments.plain, rows))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Translates and summarizes articles on a Ray cluster.

Articles are read by Ray Data from JSON Lines, Parquet, or a folder of texts (.txt, .md, .html), and
go through actors that hold one `polygist stream` each. Results are Parquet files in the folder
--out, which all machines share; so are the articles, and the program and its models are on each of
them (`polygist models pull`).

Every batch is a checkpoint: it is a file, which appears by one rename, and whose name follows from
the ids in it. Run the same command again after whatever has happened, and only what has no result
is done. Actors that die are started again by Ray, programs that die by their actors; an article
that the program dies of, cannot read or cannot translate is a row with its error, and
--retry-failed does these again.

    pip install -e "./scripts[cluster]"
    ray start --head                                   # here
    ray start --address=HOST:6379                      # on the others
    python3 scripts/cluster/ray_job.py articles.jsonl --out results --to en --actors 8 --cpus 4
    python3 -c 'import pandas; print(pandas.read_parquet("results"))'
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet
import ray
from ray.data import ActorPoolStrategy, Dataset

sys.path.insert(0, str(Path(__file__).parent))
from stream import COLUMNS, Row, Stream, command, identified

SCHEMA = pyarrow.schema(
    [
        (name, pyarrow.float64() if kind is float else pyarrow.string())
        for name, kind in COLUMNS.items()
    ]
)
TEXTS = ["txt", "md", "html", "htm"]
# The column of lines that are still to be parsed.
LINE = "polygist-line"


class Worker:
    """An actor: batches of articles in, files of results out."""

    def __init__(self, line: list[str], out: str, field: str) -> None:
        self.stream, self.out, self.field = Stream(line), Path(out), field

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        articles = [article_of(row, self.field) for row in batch.to_pylist()]
        results = self.stream.answer(articles)
        # The program may write an id otherwise than it was; results are found by what was sent.
        rows = [{**row, "id": article["id"]} for row, article in zip(results, articles)]
        keep(rows, self.out)
        return pyarrow.table({"done": [len(rows)], "failed": [failures(rows)]})


def failures(rows: list[Row]) -> int:
    return sum(row["status"] == "failed" for row in rows)


def keep(rows: list[Row], out: Path) -> None:
    """Writes a batch of results. The same batch, done twice, is the same file."""
    ids = "\n".join(sorted(row["id"] for row in rows))
    name = f"part-{hashlib.sha256(ids.encode()).hexdigest()[:24]}.parquet"
    # pandas, DuckDB and Spark pass over what begins with a dot.
    unfinished = out / f".{name}-{os.getpid()}"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=SCHEMA), unfinished)
    unfinished.replace(out / name)


def known(out: Path, retry: bool) -> set[str]:
    """The ids that have a result. Files of failures alone are removed where they are done again."""
    ids: set[str] = set()
    for file in sorted(out.glob("part-*.parquet")):
        table = pyarrow.parquet.read_table(file)
        if retry:
            good = table.filter(pyarrow.compute.not_equal(table["status"], "failed"))
            if good.num_rows < table.num_rows:
                if good.num_rows > 0:
                    keep(good.to_pylist(), out)
                file.unlink()
                table = good
        ids.update(table["id"].to_pylist())
    return ids


def read(inputs: list[str]) -> Dataset:
    """The articles: rows, or lines of JSON in a column of that name, whose numbers stay numbers."""
    first = Path(inputs[0])
    holds = lambda pattern: first.is_dir() and any(first.glob(f"**/{pattern}"))  # noqa: E731
    if first.suffix == ".parquet" or holds("*.parquet"):
        return ray.data.read_parquet(inputs)
    if first.is_dir() and not holds("*.jsonl*"):
        root = os.path.abspath(first)

        def article(row: dict[str, Any]) -> dict[str, Any]:
            text = row["bytes"].decode("utf-8", errors="replace")
            return {"id": os.path.relpath(row["path"], root), "text": text}

        files = ray.data.read_binary_files(root, include_paths=True, file_extensions=TEXTS)
        return files.map(article)
    return ray.data.read_text(inputs).rename_columns({"text": LINE})


def article_of(row: Row, field: str) -> Row:
    """The article of a row."""
    if LINE not in row:
        return identified(row, field)
    try:
        article = json.loads(row[LINE])
    except json.JSONDecodeError:
        article = None
    # The program says what is wrong with it.
    return identified(article if isinstance(article, dict) else {"line": row[LINE]}, field)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inputs", nargs="+", metavar="IN")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--to", metavar="LANG")
    parser.add_argument("--tasks", default="translate,summarize")
    parser.add_argument("--actors", type=int, default=1, help="programs that run at once")
    parser.add_argument("--cpus", type=int, default=1, help="cores, and threads, of each")
    parser.add_argument("--memory", type=float, default=2, help="GB that each is given, for Ray")
    parser.add_argument("--batch", type=int, default=64, help="articles a checkpoint has")
    parser.add_argument("--id-field", default="id")
    parser.add_argument("--retry-failed", action="store_true")
    parser.add_argument("--binary", default="polygist")
    parser.add_argument(
        "--flags", nargs=argparse.REMAINDER, default=[], help="for the program; last"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    out = args.out.resolve()
    done = known(out, args.retry_failed)
    here = str(Path(__file__).parent)
    ray.init(ignore_reinit_error=True, runtime_env={"env_vars": {"PYTHONPATH": here}})
    field = args.id_field
    ids = ray.put(done)

    def is_left(row: dict[str, Any]) -> bool:
        return article_of(row, field)["id"] not in ray.get(ids)

    articles = read(args.inputs)
    if done:
        articles = articles.filter(is_left)
    counts = articles.map_batches(
        Worker,
        fn_constructor_args=(command(args, args.cpus), str(out), field),
        batch_size=args.batch,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=1, max_size=args.actors),
        num_cpus=args.cpus,
        memory=int(args.memory * 1e9),
        max_restarts=-1,
        max_task_retries=-1,
    )
    total, failed = 0, 0
    for row in counts.iter_rows():
        total, failed = total + row["done"], failed + row["failed"]
    print(f"{total - failed} done, {failed} failed, {len(done)} done before; see {args.out}")
    sys.exit(2 if failed else 0)


if __name__ == "__main__":
    main()

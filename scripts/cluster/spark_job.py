#!/usr/bin/env python3
"""Translates and summarizes articles on a Spark cluster.

Articles are rows of JSON Lines or Parquet; each task holds one `polygist stream`
(`mapInPandas`), and results are Parquet, in a folder for each language. The program and its models
are on each machine. Results that are there stay: run it again, and only articles without a result
are done. A task that fails is run again by Spark; an article that fails is a row with its error.

    pip install -e "./scripts[cluster]"
    spark-submit --py-files scripts/cluster/stream.py scripts/cluster/spark_job.py \\
        articles.jsonl --out results --to en --partitions 64

Give each task as many cores as the program has threads: --conf spark.task.cpus=4 with --cpus 4.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas
from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

sys.path.insert(0, str(Path(__file__).parent))
from stream import COLUMNS, Stream, command, identified

SCHEMA = StructType(
    [
        StructField(name, DoubleType() if kind is float else StringType())
        for name, kind in COLUMNS.items()
    ]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inputs", nargs="+", metavar="IN")
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("--to", metavar="LANG")
    parser.add_argument("--tasks", default="translate,summarize")
    parser.add_argument("--cpus", type=int, default=1, help="threads of each program")
    parser.add_argument("--partitions", type=int, default=8, help="tasks in all")
    parser.add_argument("--id-field", default="id")
    parser.add_argument("--binary", default="polygist")
    parser.add_argument(
        "--flags", nargs=argparse.REMAINDER, default=[], help="for the program; last"
    )
    args = parser.parse_args()
    spark = SparkSession.builder.appName("polygist").getOrCreate()
    is_parquet = args.inputs[0].endswith(".parquet")
    articles = spark.read.parquet(*args.inputs) if is_parquet else spark.read.json(args.inputs)
    line, field = command(args, args.cpus), args.id_field
    if field not in articles.columns:
        sys.exit(f"the articles have no column {field}; expected one, which --id-field names")
    try:
        done = spark.read.parquet(args.out).select("id").distinct()
        kept = articles[field].cast("string") == done["id"]
        articles = articles.join(done, kept, "left_anti")
    except Exception as error:  # Spark has no name for a folder that is not there.
        if "PATH_NOT_FOUND" not in str(error) and "UNABLE_TO_INFER_SCHEMA" not in str(error):
            raise

    def run(batches: Iterator[pandas.DataFrame]) -> Iterator[pandas.DataFrame]:
        stream = Stream(line)
        for batch in batches:
            rows = batch.astype(object).where(batch.notna(), None).to_dict("records")
            articles = [identified(row, field) for row in rows]
            results = stream.answer(articles)
            rows = [{**row, "id": article["id"]} for row, article in zip(results, articles)]
            yield pandas.DataFrame(rows, columns=list(COLUMNS))
        stream.close()

    results = articles.repartition(args.partitions).mapInPandas(run, SCHEMA)
    results.write.mode("append").partitionBy("language").parquet(args.out)
    counts = dict(spark.read.parquet(args.out).groupBy("status").count().collect())
    print(f"{counts.get('ok', 0)} done, {counts.get('failed', 0)} failed in all; see {args.out}")
    spark.stop()


if __name__ == "__main__":
    main()

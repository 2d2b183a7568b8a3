"""The sets of summaries that are measured, and the articles of each that are taken."""

import random
from typing import Any

from polygist_scripts import data

SETS = [
    "llmsumm_writers.en",
    "bbc_news_summary.en",
    "orangesum.fr",
    "norsumm.no",
    "vietnews.vi",
    "tes.tr",
]


def load(name: str, sample: int) -> list[dict[str, Any]]:
    """A fixed random sample of a set: one entry an article, with all its references."""
    articles: dict[str, dict[str, Any]] = {}
    for row in data.summaries(name):
        entry = articles.setdefault(
            row["article"],
            {
                "id": row["id"],
                "lang": row["lang"],
                "title": row.get("title"),
                "text": row["article"],
                "references": [],
            },
        )
        entry["references"].append(row["summary"])
    rows = sorted(articles.values(), key=lambda row: row["id"])
    random.Random(1).shuffle(rows)
    return rows[:sample]

"""One `polygist stream` as a function from rows to rows: what Ray's actors and Spark's tasks hold.

It needs nothing but Python and the program on each machine.
"""

import hashlib
import json
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

# The columns of a result, all of them text but for the number.
COLUMNS = {
    "id": str,
    "status": str,
    "error": str,
    "language": str,
    "target": str,
    "title": str,
    "title_translation": str,
    "translation": str,
    "summary": str,
    "confidence": float,
    "problems": str,
    "record": str,
}

Row = dict[str, Any]


class Died(Exception):
    """The program ended before it had answered."""


class Stream:
    """`polygist stream`, started when it is needed and again when it has died."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self.process: subprocess.Popen[bytes] | None = None

    def answer(self, articles: Sequence[Row]) -> list[Row]:
        """The results of some articles, in their order.

        A program that dies is started again, and the articles are sent one by one: the one that it
        dies of twice has a result that says so, and the others have theirs.
        """
        lines = [json.dumps(article, ensure_ascii=False, default=str) for article in articles]
        try:
            return [flat(record) for record in self.exchange(lines)]
        except Died:
            return [self.alone(article, line) for article, line in zip(articles, lines)]

    def alone(self, article: Row, line: str) -> Row:
        why = ""
        for _ in range(2):
            try:
                return flat(self.exchange([line])[0])
            except Died as died:
                why = str(died)
        error = {"kind": "died", "message": f"the program died of this article twice: {why}"}
        return flat({"id": article.get("id"), "status": "failed", "error": error})

    def exchange(self, lines: list[str]) -> list[Row]:
        """Sends lines and reads as many answers."""
        process = self.running()
        assert process.stdin is not None and process.stdout is not None
        # Answers come while lines are sent: whoever sends all first waits for ever.
        sender = threading.Thread(target=send, args=(process, lines), daemon=True)
        sender.start()
        answers = []
        for _ in lines:
            answer = process.stdout.readline()
            if not answer.endswith(b"\n"):
                self.process = None
                process.kill()
                raise Died(f"status {process.wait()}")
            answers.append(json.loads(answer))
        sender.join()
        return answers

    def running(self) -> "subprocess.Popen[bytes]":
        if self.process is None or self.process.poll() is not None:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe)
        return self.process

    def close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


def send(process: "subprocess.Popen[bytes]", lines: list[str]) -> None:
    assert process.stdin is not None
    try:
        for line in lines:
            process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
    except OSError:
        # It has died; whoever reads its answers says so.
        pass


def command(args: Any, threads: int) -> list[str]:
    """The program's command line, out of the arguments of a script."""
    line = [args.binary, "stream", "--quiet", "--threads", str(threads), "--tasks", args.tasks]
    if args.to:
        line += ["--to", args.to]
    return line + list(args.flags)


def identified(row: Row, field: str) -> Row:
    """An article with an id that is text: its own, or a hash of all of it."""
    row = {name: value for name, value in row.items() if value is not None}
    own = row.get(field)
    if own is None or own == "":
        whole = json.dumps(row, ensure_ascii=False, sort_keys=True, default=str)
        own = hashlib.sha256(whole.encode()).hexdigest()[:32]
    return {**row, "id": str(own)}


def flat(record: Row) -> Row:
    """A record as a row."""
    title = record.get("title") or {}
    translation = record.get("translation") or {}
    checks = record.get("checks") or {}
    error = record.get("error") or {}
    confidence = checks.get("confidence")
    problems = {flag["problem"] for flag in checks.get("flagged", [])}
    return {
        "id": str(record.get("id")),
        "status": record["status"],
        "error": error.get("message"),
        "language": (record.get("language") or {}).get("code", "und"),
        "target": record.get("target"),
        "title": title.get("source"),
        "title_translation": title.get("translation"),
        "translation": translation.get("text"),
        "summary": (record.get("summary") or {}).get("text"),
        "confidence": None if confidence is None else float(confidence),
        "problems": " ".join(sorted(problems)) or None,
        "record": json.dumps(record, ensure_ascii=False),
    }

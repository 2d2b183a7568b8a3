#!/usr/bin/env python3
"""Loads `polygist serve` on this machine, beside `stream` and `batch` on the same texts.

--clients connections, kept open, each with one request in the air: a sentence to `/translate`.
Together they ask for --sentences sentences, or for as long as --seconds say; told are requests and
sentences a second, the 50th and 99th percentile of the time of a request, what failed, and the
resident memory of the server after a tenth of the time and at the end. `stream` gets the sentences
that were asked, one a line, and `batch` 16 an article; the time of a line alone, in which the model
is loaded, is taken off.
The clients are one process of Python and compute beside the server. On a busy machine compare the
sentences for each second of processor time, with loading.

    cargo build --release
    python3 scripts/compare/serve_load.py MODEL [--from pt] [--to en] [--clients 64]
        [--seconds 60 | --sentences 5000] [--binary target/release/polygist] [--text FILE]

FILE has a sentence a line; without one, the sentences of NTREX in $POLYGIST_DATA or ../shared/data
are taken, over and over, each time with another number before them, so that none is the same.
"""

import argparse
import http.client
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from polygist_scripts.data import ntrex
from polygist_scripts.program import BINARY, require


class Load:
    """What the clients share: the sentences that are still to be asked, and the times."""

    def __init__(self, sentences: list[str], most: int | None, seconds: float | None) -> None:
        self.lock = threading.Lock()
        self.sentences = sentences
        self.most = most
        self.until = time.monotonic() + seconds if seconds else None
        self.asked = 0
        self.times: list[float] = []
        self.errors: list[str] = []

    def next(self) -> str | None:
        with self.lock:
            if self.until and time.monotonic() > self.until:
                return None
            if self.most and self.asked >= self.most:
                return None
            self.asked += 1
            return sentence(self.sentences, self.asked - 1)

    def took(self, seconds: float, error: str | None) -> None:
        with self.lock:
            self.times.append(seconds)
            if error:
                self.errors.append(error)


def sentence(sentences: list[str], number: int) -> str:
    turn, at = divmod(number, len(sentences))
    return sentences[at] if turn == 0 else f"{turn}. {sentences[at]}"


def client(address: str, source: str, target: str, load: Load) -> None:
    connection = http.client.HTTPConnection(address, timeout=600)
    while (text := load.next()) is not None:
        body = json.dumps({"q": text, "source": source, "target": target})
        begun = time.monotonic()
        error = None
        try:
            connection.request("POST", "/translate", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            found = json.loads(answer.read())
            if answer.status != 200 or not found["translatedText"]:
                error = f"{answer.status}: {found}"
        except (OSError, http.client.HTTPException, ValueError) as broken:
            error = repr(broken)
            connection.close()
        load.took(time.monotonic() - begun, error)


def get(address: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def resident(address: str) -> float:
    """Megabytes of the server's memory."""
    found = re.search(r"^process_resident_memory_bytes (\d+)", get(address, "/metrics")[1], re.M)
    return int(found[1]) / 1e6 if found else float("nan")


def listening(server: subprocess.Popen[str]) -> str:
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"listening on http://(\S+)", line):
            threading.Thread(target=server.stderr.read, daemon=True).start()
            while get(found[1], "/ready")[0] != 200:
                time.sleep(0.05)
            return found[1]
    sys.exit("the server has ended")


def streamed(command: list[str], source: str, target: str, lines: list[str]) -> float:
    """Seconds of `stream` for these lines."""
    text = "".join(json.dumps({"text": line}) + "\n" for line in lines)
    flags = ["--from", source, "--to", target, "--tasks", "translate", "--jobs", "128", "--quiet"]
    begun = time.monotonic()
    subprocess.run([*command, *flags], input=text, stdout=subprocess.DEVNULL, text=True, check=True)
    return time.monotonic() - begun


def batched(command: list[str], source: str, target: str, lines: list[str]) -> float:
    """Seconds of `batch` for these lines, 16 an article, each translated anew."""
    articles = ["\n\n".join(lines[at : at + 16]) for at in range(0, len(lines), 16)]
    rows = [json.dumps({"id": str(at), "text": text}) for at, text in enumerate(articles)]
    flags = ["--from", source, "--to", target, "--tasks", "translate", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.jsonl"
        file.write_text("\n".join(rows) + "\n")
        flags += ["--no-translation-memory", "--out", str(Path(folder) / "out")]
        begun = time.monotonic()
        subprocess.run([*command, str(file), *flags], stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - begun


def processor() -> float:
    """Seconds of processor time of the programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def lines_of(path: Path | None, source: str) -> list[str]:
    texts = [file.read_text() for file in ([path] if path else ntrex(source))]
    return [line for text in texts for line in text.splitlines() if line.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--from", dest="source", default="pt")
    parser.add_argument("--to", dest="target", default="en")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--sentences", type=int)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    require(args.binary, "--binary")
    seconds = args.seconds or (None if args.sentences else 60)
    sentences = lines_of(args.text, args.source)
    flags = ["--model", args.model]
    flags += ["--threads", str(args.threads)] if args.threads else []

    command = [str(args.binary), "serve", "--port", "0", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        address = listening(server)
        load = Load(sentences, args.sentences, seconds)
        clients = [
            threading.Thread(target=client, args=(address, args.source, args.target, load))
            for _ in range(args.clients)
        ]
        begun = time.monotonic()
        for thread in clients:
            thread.start()
        time.sleep((seconds or 20) / 10)
        early = resident(address)
        for thread in clients:
            thread.join()
        took = time.monotonic() - begun
        late = resident(address)
        server.terminate()
    serving = processor()

    asked = [sentence(sentences, number) for number in range(len(load.times))]
    rate, per_second = len(asked) / took, len(asked) / serving
    print(f"{args.clients} clients, {len(asked)} sentences in {took:.1f} s")
    print(f"errors             {len(load.errors)} {load.errors[:3] or ''}")
    print(f"sentences a second {rate:.1f}; for each second of processor time {per_second:.1f}")
    for name, run in {"stream": streamed, "batch": batched}.items():
        command = [str(args.binary), name, *flags]
        alone = run(command, args.source, args.target, asked[:1])
        before = processor()
        together = run(command, args.source, args.target, asked) - alone
        peer, its = len(asked) / together, len(asked) / (processor() - before)
        share, own = rate / peer, per_second / its
        print(f"{name:18} {peer:.1f}, share {share:.2f}; {its:.1f}, share {own:.2f}")
    quantiles = statistics.quantiles(load.times, n=100)
    print(f"time of a request  p50 {quantiles[49]:.3f} s, p99 {quantiles[98]:.3f} s")
    print(f"resident memory    {early:.0f} MB at a tenth, {late:.0f} MB at the end")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Disturbs jobs for some minutes, and looks whether anything was lost.

A folder of articles in many forms is translated into two languages, once in peace. Then, over and
over until the time is up, the same job is begun in a new output folder and disturbed at random: it
is killed (`kill -9`, SIGTERM, SIGINT), the disk is full or files may not grow, input vanishes and
comes back, the clock jumps, written files are removed, cut off or followed by half a line as after
a power cut, a second run comes in between. When a run has come to its end in peace, the records
have to be those of the first, byte for byte (times aside), and so have all articles' files;
`verify` must find nothing. Between these, `polygist stream` loses its reader, and what was read
until then has to be what it answers in peace.

    cargo build --release
    nice python3 scripts/soak.py [--minutes 60] [--seed 1] [--binary target/release/polygist]
        [--model MODEL] [--articles 800] [--faketime /usr/lib/…/libfaketime.so.1]

Without --model, a tiny model of tests/fixtures writes nonsense, fast. As root, output folders lie
on a file system of their own in memory, which becomes full; else only files may not grow. Linux
only. Exit code 1 where anything is wrong.
"""

import argparse
import contextlib
import gzip
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from polygist_scripts.data import ROOT
from polygist_scripts.program import BINARY, require

# It knows the languages of these words.
MODEL = ROOT / "tests/fixtures/seq2seq/m2m100"
WORDS = {
    "fr": "la ville a fermé son plus vieux pont après que la rivière monte et le conseil attend",
    "de": "die Stadt schloss ihre älteste Brücke nachdem der Fluss stieg und der Rat will neue",
    "en": "the town closed its oldest bridge after the river rose and the council wants another",
}
# Bytes that are left on a full disk, and that a file may have at most.
ROOM = (0, 200_000)
SIZE = 96 << 20


class Texts:
    """Articles of some sentences, drawn at random and always the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def sentence(self, language: str) -> str:
        words = self.random.choices(WORDS[language].split(), k=self.random.randint(6, 14))
        if self.random.random() < 0.3:
            words.insert(3, str(self.random.randint(2, 900)))
        return " ".join(words).capitalize() + "."

    def paragraph(self) -> str:
        language = self.random.choice(sorted(WORDS))
        # Some sentences stand in many articles, so that the job's memory is asked.
        common = " ".join(WORDS[language].split()[:8]).capitalize() + "."
        sentences = [self.sentence(language) for _ in range(self.random.randint(1, 4))]
        return " ".join([*sentences, common])

    def write(self, folder: Path, number: int) -> None:
        """Writes so many articles, in files of several kinds."""
        for at in range(number):
            text = self.paragraph()
            path = folder / f"{at % 7}" / f"{at:04}"
            path.parent.mkdir(parents=True, exist_ok=True)
            match at % 6:
                case 0:
                    page = f"<html><body><h1>Nr. {at}</h1><p>{text}</p></body></html>"
                    path.with_suffix(".html").write_text(page)
                case 1:
                    packed = gzip.compress(text.encode(), mtime=0)
                    path.with_suffix(".txt.gz").write_bytes(packed)
                case 2:
                    rows = [{"id": f"{at}-{n}", "text": self.paragraph()} for n in range(3)]
                    lines = "".join(json.dumps(row) + "\n" for row in rows)
                    path.with_suffix(".jsonl").write_text(lines)
                case 3 if at % 24 == 3:
                    path.with_suffix(".json").write_text('{"text": "cut o')
                case _:
                    path.with_suffix(".txt").write_text(text + "\n")


def timeless(folder: Path) -> list[str]:
    """The records of an output folder in their order, without what may differ."""
    records = []
    for line in (folder / "results.jsonl").read_text().splitlines():
        record = json.loads(line)
        record["stats"].pop("seconds", None)
        records.append(json.dumps(record, sort_keys=True, ensure_ascii=False))
    return records


def written(folder: Path) -> dict[str, bytes]:
    """The articles' files of an output folder."""
    files = (path for path in folder.rglob("*.md") if not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class Soak:
    """What is disturbed, and what was seen of it."""

    def __init__(self, args: argparse.Namespace, folder: Path, disk: Path | None) -> None:
        self.random = random.Random(args.seed)
        self.binary, self.model = args.binary.resolve(), args.model.resolve()
        self.faketime: Path | None = args.faketime
        self.disk = disk
        self.articles, self.aside = folder / "in", folder / "aside"
        self.clock = folder / "clock"
        self.out = (disk or folder) / "out"
        Texts(args.seed).write(self.articles, args.articles)
        self.home = folder / "home"
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.seconds = 1.0

    def report(self, what: str) -> None:
        self.wrong.append(what)
        print(f"WRONG: {what}", flush=True)

    def start(
        self, command: list[str], variables: dict[str, str] | None = None, most: int | None = None
    ) -> "subprocess.Popen[str]":
        """Starts the program; `most` is how large a file may become."""

        def limited() -> None:
            if most is not None:
                # Python ignores the signal, and so does what it starts: writing fails instead.
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        given = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        return subprocess.Popen(
            [str(self.binary), *command],
            env=os.environ | given | (variables or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limited,
        )

    def job(self, out: Path) -> list[str]:
        flags = ["--to", "en,de", "--model", str(self.model), "--offline", "--extractive"]
        # What a tiny model writes is nonsense; a little of it is enough.
        flags += ["--fast", "--max-tokens", "16", "--length", "1s"]
        return ["batch", str(self.articles), "--out", str(out), *flags]

    def ended(
        self, process: "subprocess.Popen[str]", what: str, expected: tuple[int, ...]
    ) -> tuple[int, str]:
        """Waits for a process, whose end is to be one of these."""
        try:
            _, said = process.communicate(timeout=600)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
            self.report(f"{what}: no end within ten minutes")
        if process.returncode not in expected or "panicked" in said:
            self.report(f"{what}: ended with {process.returncode}, not {expected}: {said[-800:]}")
        return process.returncode, said

    def peace(self, out: Path) -> None:
        """A run that nobody disturbs."""
        # Articles that are damaged on purpose fail, which is 2.
        self.ended(self.start(self.job(out)), "in peace", (0, 2))

    def moment(self) -> None:
        """Waits for some time, while a job may be anywhere in its work."""
        time.sleep(self.random.uniform(0.0, 1.1) ** 2 * self.seconds)

    def killed(self, which: signal.Signals, ends: tuple[int, ...]) -> None:
        process = self.start(self.job(self.out))
        self.moment()
        process.send_signal(which)
        # A signal may come before the program listens, or when all is done.
        self.ended(process, which.name, (*ends, -which, 0, 2))

    def full_disk(self) -> None:
        if self.disk is None:
            return
        ballast = self.disk / "ballast"
        process = self.start(self.job(self.out)) if self.random.random() < 0.5 else None
        if process:
            self.moment()
        room = self.random.randint(*ROOM)
        free = shutil.disk_usage(self.disk).free
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            for _ in range(max(0, free - room) >> 16):
                file.write(bytes(1 << 16))
        process = process or self.start(self.job(self.out))
        code, said = self.ended(process, "full disk", (0, 1, 2))
        if code == 1 and "No space left" not in said:
            self.report(f"full disk: what it says does not name the disk: {said[-400:]}")
        self.counts["full disk, told"] += code == 1
        ballast.unlink()

    def small_files(self) -> None:
        most = self.random.randint(1_000, 600_000)
        code, said = self.ended(
            self.start(self.job(self.out), most=most), "file-size limit", (0, 1, 2)
        )
        if code == 1 and "too large" not in said:
            self.report(f"file-size limit: it is not named: {said[-400:]}")
        self.counts["file-size limit, told"] += code == 1

    def vanished(self) -> None:
        """Some input is gone for the time of a run, or from its middle on."""
        self.aside.mkdir()
        process = self.start(self.job(self.out)) if self.random.random() < 0.6 else None
        if process:
            self.moment()
        gone = self.random.sample(sorted(self.articles.iterdir()), k=2)
        for folder in gone:
            folder.rename(self.aside / folder.name)
        process = process or self.start(self.job(self.out))
        self.ended(process, "vanished input", (0, 1, 2))
        for folder in gone:
            (self.aside / folder.name).rename(folder)
        self.aside.rmdir()

    def clock_jumps(self) -> None:
        if self.faketime is None:
            return
        jumps = ["+400d", "-4000d", "+2h", "-90s"]
        self.clock.write_text(self.random.choice(jumps))
        variables = {
            "LD_PRELOAD": str(self.faketime),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1",
            # What runs steadily goes on to.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        process = self.start(self.job(self.out), variables)
        self.moment()
        with contextlib.suppress(OSError):
            self.clock.write_text(self.random.choice(jumps))
        self.moment()
        if self.random.random() < 0.7:
            process.kill()
        self.ended(process, "clock", (-signal.SIGKILL, 0, 2))

    def torn(self) -> None:
        """What a power cut leaves: the end of a file is missing, zero, or half a line."""
        for name in ("results.jsonl", ".polygist.memory"):
            path = self.out / name
            if not path.exists() or self.random.random() < 0.4:
                continue
            size = path.stat().st_size
            with path.open("r+b") as file:
                match self.random.randrange(3):
                    case 0:
                        file.truncate(self.random.randint(max(0, size - 3000), size))
                    case 1:
                        file.truncate(self.random.randint(max(0, size - 3000), size))
                        file.seek(0, os.SEEK_END)
                        file.write(bytes(self.random.randint(1, 4096)))
                    case _:
                        file.seek(0, os.SEEK_END)
                        file.write(b'{"id":"half a li')

    def removed(self) -> None:
        """Files that were written are gone."""
        there = sorted(self.out.rglob("*.md"))
        there += [path for name in ("report.html",) if (path := self.out / name).exists()]
        for path in self.random.sample(there, k=min(len(there), 5)):
            path.unlink()

    def two_at_once(self) -> None:
        first = self.start(self.job(self.out))
        self.moment()
        second = self.start(self.job(self.out))
        code, said = self.ended(second, "a second run", (0, 1, 2))
        self.counts["second run, refused"] += code == 1
        if code == 1 and "another run of polygist is writing there" not in said:
            self.report(f"a second run: {said[-400:]}")
        code, said = self.ended(first, "the first of two runs", (0, 1, 2))
        if code == 1 and "another run of polygist is writing there" not in said:
            self.report(f"the first of two runs: {said[-400:]}")

    def stream(self) -> None:
        """A stream whose reader goes away."""
        flags = ["--to", "en", "--model", str(self.model), "--offline", "--tasks", "translate"]
        lines = "".join(
            json.dumps({"id": n, "text": WORDS["fr"] + f" {n}."}) + "\n" for n in range(60)
        )

        def answers(wanted: int) -> list[str]:
            process = self.start(["stream", *flags])
            assert process.stdin and process.stdout and process.stderr
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(lines)
                process.stdin.close()
            read = []
            for line in process.stdout:
                record = json.loads(line)
                record.pop("stats")
                read.append(json.dumps(record, sort_keys=True))
                if len(read) == wanted:
                    break
            process.stdout.close()
            said = process.stderr.read()
            if process.wait(timeout=600) not in (0, 2) or "panicked" in said:
                self.report(f"stream without a reader: {process.returncode}: {said[-400:]}")
            return read

        wanted = self.random.randint(1, 30)
        whole, part = answers(1000), answers(wanted)
        if len(whole) != 60 or whole[:wanted] != part:
            self.report("stream: what was read before its reader went is not what it answers")

    def disturbances(self) -> dict[str, Callable[[], None]]:
        return {
            "kill -9": lambda: self.killed(signal.SIGKILL, ()),
            "SIGTERM": lambda: self.killed(signal.SIGTERM, (143,)),
            "SIGINT": lambda: self.killed(signal.SIGINT, (130,)),
            "full disk": self.full_disk,
            "file-size limit": self.small_files,
            "vanished input": self.vanished,
            "clock": self.clock_jumps,
            "torn files": self.torn,
            "removed files": self.removed,
            "two at once": self.two_at_once,
            "stream": self.stream,
        }

    def compare(self, calm: list[str], files: dict[str, bytes]) -> None:
        """Whether the output folder is as the one that was made in peace."""
        found, made = timeless(self.out), written(self.out)
        if found != calm:
            missing, further = set(calm) - set(found), set(found) - set(calm)
            self.report(
                f"records: {len(found)} of {len(calm)}, {len(missing)} differ; the order "
                f"{'too' if missing or further else 'alone'}: {sorted(further)[:1]} "
                f"instead of {sorted(missing)[:1]}"
            )
        if made != files:
            names = sorted(n for n in files.keys() | made.keys() if files.get(n) != made.get(n))
            self.report(f"files: {names[:5]} and {max(0, len(names) - 5)} more differ")
        if not (self.out / "report.html").exists():
            self.report("there is no report")
        self.ended(self.start(["verify", str(self.out)]), "verify", (0,))
        left = [path.name for path in self.out.rglob(".polygist-*.tmp")]
        if left:
            self.report(f"unfinished files are left: {left[:3]}")

    def lap(self, calm: list[str], files: dict[str, bytes], until: float) -> None:
        """A job in a new folder, disturbed until it is done and then left in peace."""
        shutil.rmtree(self.out, ignore_errors=True)
        disturbances = self.disturbances()
        for _ in range(self.random.randint(2, 8)):
            name = self.random.choice(sorted(disturbances))
            disturbances[name]()
            self.counts[name] += 1
            if time.monotonic() > until:
                break
        self.peace(self.out)
        # Articles that could not be read while their files were away are failed ones; what is cut
        # off on purpose stays so.
        self.ended(self.start([*self.job(self.out), "--retry-failed"]), "once more", (0, 2))
        self.peace(self.out)
        self.compare(calm, files)

    def run(self, minutes: float) -> None:
        until = time.monotonic() + 60 * minutes
        calm_folder = self.out.with_name("calm")
        begun = time.monotonic()
        self.peace(calm_folder)
        self.seconds = time.monotonic() - begun
        calm, files = timeless(calm_folder), written(calm_folder)
        print(f"{len(calm)} records in {self.seconds:.1f} s in peace", flush=True)
        laps = 0
        while time.monotonic() < until:
            self.lap(calm, files, until)
            laps += 1
        counted = ", ".join(f"{name} {number}" for name, number in sorted(self.counts.items()))
        print(f"{laps} jobs in {minutes:g} minutes; {counted}")
        print(f"{len(self.wrong)} things were wrong")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system in memory, where one can be had."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        print("no file system of its own could be had: the disk is never full")
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--articles", type=int, default=800)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--faketime", type=Path, help="libfaketime.so.1, for clocks that jump")
    args = parser.parse_args()
    require(args.binary, "--binary")
    with tempfile.TemporaryDirectory() as name, small_disk(Path(name)) as disk:
        soak = Soak(args, Path(name), disk)
        soak.run(args.minutes)
    sys.exit(1 if soak.wrong else 0)


if __name__ == "__main__":
    main()

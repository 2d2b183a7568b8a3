#!/usr/bin/env python3
"""Runs all checks and measurements of a GPU in one command.

For a machine that is there for some minutes and has no network.

    python3 scripts/gpu/run.py FOLDER [--budget 150] [--device cuda] [--only NAME …]

FOLDER has what scripts/gpu/build.py made: `polygist` and the example `parity`, or both in
`polygist.tar.xz`. Each step has a time limit of its own, and what fails stops nothing. Steps are
begun in the order of STEPS while the budget lasts. Everything that was said goes to $OUT/log.txt,
all figures to $OUT/results.json (the folder of the run where OUT is not set); a short table is
printed at the end.
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import build

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
MODELS = [
    *sorted(map(str, (FIXTURES / "seq2seq").iterdir())),
    *sorted(map(str, (FIXTURES / "models").glob("*/model.gguf"))),
]
LIBRARIES = [*build.LIBRARIES.values(), "libcudart.so.13"]


def polygist(shape: str, *flags: str) -> list[str]:
    return ["{folder}/polygist", "--device", "{device}", "bench", "--synthetic", shape, *flags]


def bench(shape: str, *flags: str) -> list[str]:
    """tokens/s of a shape, on the device."""
    return polygist(shape, "--runs", "2", "--format", "json", "--out", "{result}", *flags)


def parity(precision: str) -> list[str]:
    return [
        "{folder}/parity",
        "--device",
        "{device}",
        "--precision",
        precision,
        *MODELS,
        "tiny",
        "tiny-decoder",
        "marian-base",
    ]


def peer(shape: str, *flags: str) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("peer.py")), shape, *flags]


def profile(shape: str, *flags: str) -> list[str]:
    """The time of each of the first kernels, one line each, in {out}/profile.csv. The card's clocks
    are left as they are.
    """
    watched = [
        "ncu",
        "--metrics",
        "gpu__time_duration.sum",
        "--csv",
        "--clock-control",
        "none",
        "--log-file",
        "{out}/profile.csv",
    ]
    return [
        *watched,
        "--launch-count",
        "1500",
        "--kill",
        "on",
        *polygist(shape, "--runs", "1", *flags),
    ]


GREEDY = ["--sentences", "8192", "--batch", "1024,2048", "--beam", "1"]
BEAM = ["--sentences", "2048", "--batch", "1024,2048", "--beam", "4"]
# Name, seconds at most, command. {result} is a file for JSON; without it, lines of JSON on standard
# output are the figures.
STEPS = [
    # The driver translates candle's kernels for the device the first time.
    ("start", 45, bench("tiny", "--sentences", "8", "--tokens", "8")),
    ("parity f32", 30, parity("f32")),
    ("opus-mt greedy", 25, bench("marian-base", *GREEDY)),
    ("opus-mt beam", 25, bench("marian-base", *BEAM)),
    (
        "opus-mt peer",
        60,
        peer("marian-base", "--seconds", "25", "--batches", "2048", "1024", "256"),
    ),
    (
        "opus-mt profile",
        45,
        profile(
            "marian-base",
            "--sentences",
            "512",
            "--batch",
            "512",
            "--beam",
            "1",
            "--tokens",
            "4",
            "--threads",
            "1",
        ),
    ),
    ("parity bf16", 15, parity("bf16")),
    ("parity f16", 15, parity("f16")),
    ("bart-large greedy", 20, bench("bart-large", *GREEDY)),
    ("bart-large beam", 20, bench("bart-large", *BEAM)),
    (
        "gemma-270m",
        20,
        bench("gemma-270m", "--sentences", "2048", "--batch", "512", "--beam", "1,4"),
    ),
    ("nllb-600m", 25, bench("nllb-600m", "--sentences", "1024", "--batch", "512", "--beam", "1,4")),
    (
        "opus-mt f32",
        20,
        bench(
            "marian-base",
            "--precision",
            "f32,f16",
            "--sentences",
            "1024",
            "--batch",
            "512",
            "--beam",
            "1,4",
        ),
    ),
    (
        "bart-large peer",
        30,
        peer("bart-large", "--seconds", "12", "--sentences", "1024", "--batches", "256", "1024"),
    ),
]


def binaries(folder: Path) -> Path:
    """The folder with the programs, which may have come as an archive."""
    archive = folder / "polygist.tar.xz"
    if (folder / "polygist").is_file() or not archive.is_file():
        return folder
    unpacked = Path(tempfile.mkdtemp())
    with tarfile.open(archive) as held:
        held.extractall(unpacked, filter="data")
    return unpacked


def library_path() -> str:
    """The folders that have CUDA's libraries: those of Python packages of NVIDIA's, of a toolkit,
    of the driver.
    """
    places = [folder for at in sys.path if at for folder in glob.glob(f"{at}/nvidia/*/lib")]
    places += (
        glob.glob("/usr/local/cuda*/lib64")
        + glob.glob("/usr/local/cuda*/targets/*/lib")
        + glob.glob("/usr/local/nvidia/lib*")
    )
    kept = [
        place
        for place in dict.fromkeys(places)
        if any((Path(place) / name).exists() for name in LIBRARIES)
    ]
    return os.pathsep.join([*kept, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])


def figures(said: str, result: Path) -> list[dict[str, Any]]:
    """The JSON that a step left."""
    if result.is_file():
        text = result.read_text()
        result.unlink()
        return [json.loads(text)]
    lines = [line for line in said.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def rows(name: str, found: list[dict[str, Any]]) -> Iterator[str]:
    """A step's figures in words."""
    for one in found:
        if "peer" in one:
            yield (
                f"{one['model']}, {one['peer']} {one['dtype']}, beam {one['beam']}: "
                f"{one['tokens_per_second']} tokens/s (batch: tokens/s {one['all']})"
            )
        elif "measurements" in one:
            yield f"peak of {one['peaks']}"
            for m in one["measurements"]:
                rate = m["target_tokens_per_second"]["median"]
                yield (
                    f"{m['model']} {m['precision']}, {m['threads']} threads, batch {m['batch']}, "
                    f"beam {m['beam']}: {rate:.0f} tokens/s"
                    f" ({m['share_of_peak'] or 0:.1%} of peak, "
                    f"first token {(m['first_token_seconds'] or {}).get('median', 0) * 1e3:.1f} ms)"
                )
        else:
            name = "/".join(Path(one["model"]).parts[-2:])
            if "error" in one:
                yield f"{name}: {one['error']}"
                continue
            sides = [
                f"{key} {one[key]['equal']}/{one[key]['of']} (score {one[key]['score']:.1e})"
                for key in ("beam 1", "beam 4")
            ]
            yield f"{name}: {', '.join(sides)}" + (
                f", logits {one['logits']:.1e}" if "logits" in one else ""
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--budget", type=float, default=150, help="seconds (default: %(default)s)")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    options = parser.parse_args()
    begun = time.monotonic()
    folder, out = (
        binaries(options.folder.resolve()),
        Path(os.environ.get("OUT") or options.folder).resolve(),
    )
    environment = os.environ | {"LD_LIBRARY_PATH": library_path(), "RUST_BACKTRACE": "0"}
    table, results = [f"libraries in {environment['LD_LIBRARY_PATH']}"], {}
    with open(out / "log.txt", "w") as log:
        # What the peer imports comes from a cold disk; nothing is measured meanwhile.
        warming = subprocess.Popen(
            [sys.executable, "-c", "import torch, transformers.models.marian.modeling_marian"],
            stdout=log,
            stderr=log,
        )
        checks = [
            (
                "gpu",
                10,
                [
                    "nvidia-smi",
                    "--query-gpu=name,driver_version,memory.total",
                    "--format=csv,noheader",
                ],
            ),
            ("linked", 10, ["ldd", "{folder}/polygist"]),
        ]
        for name, limit, command in checks + STEPS:
            if options.only and name not in options.only:
                continue
            left = options.budget - (time.monotonic() - begun)
            if left < 3:
                table.append(f"{name}: not begun, the budget is spent")
                continue
            result = out / "result.json"
            command = [
                part.format(folder=folder, device=options.device, out=out, result=result)
                for part in command
            ]
            started = time.monotonic()
            try:
                done = subprocess.run(
                    command,
                    env=environment,
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    timeout=min(limit, left),
                )
                said, complaints, status = done.stdout, done.stderr, f"status {done.returncode}"
            except subprocess.TimeoutExpired as late:
                said, complaints = (
                    (stream or b"").decode(errors="replace")
                    for stream in (late.stdout, late.stderr)
                )
                status = "stopped at its limit"
            except OSError as why:
                said, complaints, status = "", "", str(why)
            seconds = time.monotonic() - started
            log.write(
                f"== {name}: {' '.join(command)}\n{said}\n{complaints}\n== {status}, "
                f"{seconds:.1f} s\n"
            )
            log.flush()
            try:
                results[name] = figures(said, result)
            except ValueError as why:
                results[name], status = [], f"{status}; {why}"
            table.append(f"{name}: {status}, {seconds:.1f} s")
            table += [f"    {row}" for row in rows(name, results[name])]
            if status != "status 0":
                table += [f"    {line[:300]}" for line in complaints.strip().splitlines()[-4:]]
            elif name == "gpu":
                table.append(f"    {said.strip()}")
            elif name == "linked":
                table += [
                    f"    {line.strip()}" for line in said.splitlines() if "not found" in line
                ]
            (out / "results.json").write_text(json.dumps(results, indent=1))
        warming.kill()
    print("\n".join(table))


if __name__ == "__main__":
    main()

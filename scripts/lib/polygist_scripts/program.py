"""The built program and its examples: where they lie, and how they are run."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from polygist_scripts.data import ROOT

BINARY = ROOT / "target" / "release" / "polygist"
EXAMPLES = ROOT / "target" / "release" / "examples"


def require(path: Path, option: str, example: str | None = None) -> None:
    """Ends the script when the program, or an example, is not built; `option` names another."""
    if not path.exists():
        build = "cargo build --release" + (f" --example {example}" if example else "")
        sys.exit(f"{path} is not there; `{build}` builds it, {option} names another")


def arguments_and_flags() -> tuple[list[str], list[str]]:
    """The script's own arguments, and the flags after `--`, which are passed on to the program."""
    own = sys.argv[1:]
    end = own.index("--") if "--" in own else len(own)
    return own[:end], own[end + 1 :]


def translate_lines(
    binary: Path, source: str, target: str, lines: Sequence[str], flags: Sequence[str]
) -> list[str]:
    """What `polygist translate --lines` writes for each line."""
    command: list[str | Path] = [
        binary,
        "translate",
        "--lines",
        "--quiet",
        "--from",
        source,
        "--to",
        target,
        *flags,
    ]
    # What the checks reject is marked by a status other than 0, with every line there all the same.
    result = subprocess.run(
        command,
        input="\n".join(lines) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    output = result.stdout.removesuffix("\n").split("\n")
    if len(output) != len(lines):
        said = " ".join(map(str, command))
        sys.exit(f"{said} wrote {len(output)} lines for {len(lines)}, status {result.returncode}")
    return output


def reference(
    binary: Path, model: Path, texts: Sequence[str], new_tokens: int
) -> Iterator[dict[str, Any]]:
    """What the example `reference` computes, one text at a time: "ids" with the begin token, and
    where it is to write, "logits" after them and the "greedy" continuation.
    """
    with tempfile.TemporaryFile() as asked:
        asked.write(json.dumps(texts).encode())
        asked.seek(0)
        command: list[str | Path] = [binary, str(model), str(new_tokens)]
        with subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            yield from map(json.loads, process.stdout)
        if process.returncode:
            sys.exit(f"{binary} failed with status {process.returncode}")


def installed(binary: Path, name: str) -> Path:
    """The GGUF file of an installed model."""
    shown = subprocess.run([binary, "models", "info", name], capture_output=True, text=True)
    for line in shown.stdout.splitlines():
        if line.startswith("state") and "installed in " in line:
            folder = Path(line.split("installed in ", 1)[1].strip())
            for file in sorted(folder.glob("*.gguf")):
                return file
    sys.exit(
        f"model {name} is not installed; `polygist models pull {name}` gets it, or name a GGUF file"
    )

#!/usr/bin/env python3
"""Builds polygist for NVIDIA GPUs on a machine without a GPU or a CUDA toolkit, or only compiles.

    python3 scripts/gpu/build.py OUT                     OUT/polygist, for a machine with a driver
                                                         and CUDA's libraries
    python3 scripts/gpu/build.py OUT --example parity    the same, and OUT/parity
    python3 scripts/gpu/build.py OUT --pack …            and OUT/polygist.tar.xz, of less than a
                                                         fifth of their size, for gpu/run.py
    python3 scripts/gpu/build.py OUT --check             compiles all that is ours, links nothing,
                                                         and denies warnings

The compiler and its headers come out of Python packages of NVIDIA's, by their exact versions. What
is linked against but not needed for building (the driver, cuBLAS, cuRAND, NVRTC) is stood in for by
empty libraries of the right names: the real ones are found when it runs, and without them the
program does not start.
"""

import argparse
import lzma
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# CUDA 13.0: what it makes runs with drivers from 580 on.
PACKAGES = [
    "nvidia-cuda-nvcc==13.0.88",
    "nvidia-nvvm==13.0.88",
    "nvidia-cuda-crt==13.0.88",
    "nvidia-cuda-runtime==13.0.96",
    "nvidia-cuda-cccl==13.0.85",
]
LIBRARIES = {
    "cuda": "libcuda.so.1",
    "cublas": "libcublas.so.13",
    "cublasLt": "libcublasLt.so.13",
    "curand": "libcurand.so.10",
    "nvrtc": "libnvrtc.so.13",
}


def toolkit(out: Path) -> Path:
    """A folder like that of an installed toolkit."""
    root, made = out / "toolkit", out / "toolkit" / ".made"
    if made.exists() and made.read_text() == " ".join(PACKAGES):
        return root
    shutil.rmtree(root, ignore_errors=True)
    wheels = out / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--dest",
            wheels,
            *PACKAGES,
        ],
        check=True,
    )
    unpacked = out / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
    (unpacked / "nvidia" / "cu13").rename(root)
    shutil.rmtree(unpacked)
    # A wheel's files come out without their permissions.
    for program in [
        *(root / "bin").iterdir(),
        *(root / "nvvm" / "bin").iterdir(),
        *(root / "bin" / "crt").glob("*"),
    ]:
        program.chmod(0o755)
    lib = root / "lib"
    (root / "lib64").symlink_to("lib")
    for library in lib.glob("*.so.*"):
        link = lib / (library.name.split(".so.")[0] + ".so")
        if not link.exists():
            link.symlink_to(library.name)
    for name, soname in LIBRARIES.items():
        subprocess.run(
            [
                "cc",
                "-shared",
                "-x",
                "c",
                os.devnull,
                f"-Wl,-soname,{soname}",
                "-o",
                lib / f"lib{name}.so",
            ],
            check=True,
        )
    made.write_text(" ".join(PACKAGES))
    return root


# Compiling candle's kernels takes ten minutes, and whether ours compile does not depend on them.
STAND_IN = """#!/bin/sh
# Stands in for nvcc where only Rust is to be compiled: makes empty files.
real={real}
out= folder= source=
case "$1" in --version | --list-gpu-code) exec "$real" "$@" ;; esac
while [ $# -gt 0 ]; do
    case "$1" in
        -o) out="$2"; shift ;;
        --output-directory) folder="$2"; shift ;;
        *.cu) source="$1" ;;
    esac
    shift
done
if [ -z "$out" ]; then out="$folder/$(basename "$source" .cu).ptx"; fi
: > "$out"
"""


def stand_in(out: Path, real: Path) -> Path:
    """A program that takes nvcc's arguments and writes empty files."""
    program = out / "stand-in" / "nvcc"
    program.parent.mkdir(exist_ok=True)
    program.write_text(STAND_IN.format(real=shlex.quote(str(real))))
    program.chmod(0o755)
    return program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--check", action="store_true")
    parser.add_argument(
        "--capability",
        default="90",
        help="compute capability of the GPU, as 80, 90 or 120 (default: %(default)s)",
    )
    parser.add_argument("--pack", action="store_true")
    parser.add_argument(
        "--example",
        action="append",
        default=[],
        metavar="NAME",
        help="an example of the repository, beside the program",
    )
    options = parser.parse_args()
    out = options.out.resolve()
    root = toolkit(out)
    variables = {
        "CUDA_HOME": root,
        "CUDA_COMPUTE_CAP": options.capability,
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    environment = os.environ | {key: str(value) for key, value in variables.items()}
    features = ["--locked", "--features", "cuda"]
    if options.check:
        # Our own kernels are compiled on the machine that runs them; here, whether they can be.
        kernels: list[str | Path] = [
            root / "bin" / "nvcc",
            "-ptx",
            "-arch",
            "compute_75",
            "-Werror",
            "all-warnings",
            "-o",
            os.devnull,
            ROOT / "src/kernel/cuda/kernels.cu",
        ]
        subprocess.run(kernels, check=True)
        environment["NVCC"] = str(stand_in(out, root / "bin" / "nvcc"))
        sys.exit(
            subprocess.run(
                ["cargo", "clippy", *features, "--all-targets", "--", "-D", "warnings"],
                cwd=ROOT,
                env=environment,
            ).returncode
        )
    # The empty libraries have none of the functions; the real ones do. Other flags build all anew,
    # which is not to happen to other builds.
    environment |= {
        "RUSTFLAGS": "-C link-arg=-Wl,--unresolved-symbols=ignore-all",
        "CARGO_TARGET_DIR": str(out / "target"),
    }
    # A library that nothing is taken from is left out of what the program needs, unless it is told
    # otherwise.
    needed = ["-Wl,--no-as-needed", *(f"-l{name}" for name in LIBRARIES)]
    link = [part for argument in needed for part in ("-C", f"link-arg={argument}")]
    for kind, name in [("--bin", "polygist"), *(("--example", name) for name in options.example)]:
        subprocess.run(
            ["cargo", "rustc", "--release", *features, kind, name, "--", *link],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        program = out / "target" / "release" / ("examples" if kind == "--example" else "") / name
        shutil.copy2(program, out / name)
        subprocess.run(["strip", out / name], check=True)
        print(f"{out / name}: {(out / name).stat().st_size / 2**20:.1f} MiB")
    if options.pack:
        # Both hold the same kernels, far apart: the dictionary has to reach from one to the other.
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 192 << 20}]
        with (
            lzma.open(out / "polygist.tar.xz", "wb", filters=filters) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            for name in ["polygist", *options.example]:
                archive.add(out / name, arcname=name)


if __name__ == "__main__":
    main()

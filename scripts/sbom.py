#!/usr/bin/env python3
"""Writes what a build of polygist is made of: an SBOM in CycloneDX's format (JSON, 1.6).

    python3 scripts/sbom.py [--target x86_64-unknown-linux-gnu] [--features python] > sbom.json

All crates that are linked in or that run while it is built are there, with licence, author's
repository and the checksum of Cargo.lock, and who needs whom; so are the data files of models/ that
become part of the program. Crates that only tests need are not. The same Cargo.lock gives the same
bytes. Needs cargo, and the crates on this machine or a registry.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Data in models/ that is compiled in and comes under terms of its own.
DATA = {
    "models/gemma-3-270m-news": "Gemma Terms of Use",
    "models/lexicon.bin": "Unicode-3.0 and CC-BY-4.0",
    "models/number_words.txt": "Unicode-3.0",
}

Package = dict[str, Any]


def metadata(target: str, features: list[str]) -> Package:
    command = [
        "cargo",
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--filter-platform",
        target,
    ]
    command += ["--features", ",".join(features)] if features else []
    read = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found: Package = json.loads(read.stdout)
    return found


def host() -> str:
    told = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return next(line.split()[1] for line in told.splitlines() if line.startswith("host:"))


def needed(graph: dict[str, Package], root: str) -> dict[str, list[str]]:
    """The packages that a build needs, each with those that it needs itself."""
    found: dict[str, list[str]] = {}
    open_ends = [root]
    while open_ends:
        number = open_ends.pop()
        if number in found:
            continue
        used = [
            dep["pkg"]
            for dep in graph[number]["deps"]
            # The kind of a usual dependency has no name.
            if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])
        ]
        found[number] = sorted(set(used))
        open_ends += used
    return found


def reference(package: Package) -> str:
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package: Package, checksums: dict[tuple[str, str], str]) -> Package:
    described: Package = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if package["description"]:
        described["description"] = " ".join(package["description"].split())
    if package["license"]:
        # Some crates write a slash where the standard has OR.
        expression = package["license"].replace(" / ", " OR ").replace("/", " OR ")
        described["licenses"] = [{"expression": expression}]
    if checksum := checksums.get((package["name"], package["version"])):
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        described["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return described


def data(path: str, licence: str) -> Package:
    """A file of models/, or a folder with the one that has the numbers."""
    place = ROOT / path
    files = (
        sorted(file for file in place.rglob("*") if file.is_file()) if place.is_dir() else [place]
    )
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return {
        "type": "data",
        "bom-ref": path,
        "name": path,
        "licenses": [{"license": {"name": licence}}],
        "hashes": [{"alg": "SHA-256", "content": whole.hexdigest()}],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--target", help="the system that is built for, by the name that rustc has")
    parser.add_argument("--features", nargs="*", default=[], help="beside the default ones")
    args = parser.parse_args()
    target = args.target or host()
    read = metadata(target, args.features)
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {
        (package["name"], package["version"]): package["checksum"]
        for package in lock["package"]
        if "checksum" in package
    }
    packages = {package["id"]: package for package in read["packages"]}
    root = read["resolve"]["root"]
    uses = needed({node["id"]: node for node in read["resolve"]["nodes"]}, root)
    crates = sorted(
        (component(packages[number], checksums) for number in uses if number != root),
        key=lambda found: found["bom-ref"],
    )
    program = component(packages[root], checksums) | {"type": "application"}
    files = [data(path, licence) for path, licence in DATA.items()]
    dependencies = [
        {
            "ref": reference(packages[number]),
            "dependsOn": sorted(reference(packages[used]) for used in uses[number]),
        }
        for number in uses
    ]
    dependencies.sort(key=lambda found: str(found["ref"]))
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": program,
            "properties": [
                {"name": "polygist:target", "value": target},
                {"name": "polygist:features", "value": ",".join(["default", *args.features])},
            ],
        },
        "components": [*crates, *files],
        "dependencies": dependencies,
    }
    digest = json.dumps(bom, sort_keys=True)
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}"
    json.dump(bom, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Lists the public items of the library, one a line, as `docs/public-api.txt` has them.

    python3 scripts/public_api.py            # prints the list
    python3 scripts/public_api.py --check    # compares it with the file: exit code 1 if it differs
    python3 scripts/public_api.py --write    # writes the file, once a change is meant

What a program may use is a promise: a line that goes or changes breaks somebody's build. The list
is read off rustdoc's JSON. Hidden items are no part of it; hidden modules are where some of the
public items live.
"""

import argparse
import difflib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "docs" / "public-api.txt"

Item = dict[str, Any]


def rustdoc() -> Item:
    """The library's items as rustdoc tells them. Its JSON has to be asked for by a switch.

    The switch is for rustdoc alone: for all of cargo, it would have every dependency built anew.
    """
    unstable = ["-Z", "unstable-options", "--output-format", "json", "--document-hidden-items"]
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder) / "rustdoc"
        wrapper.write_text('#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n')
        wrapper.chmod(0o755)
        subprocess.run(
            ["cargo", "rustdoc", "--quiet", "--lib", "--locked", "--", *unstable],
            cwd=ROOT,
            env=os.environ | {"RUSTDOC": str(wrapper)},
            check=True,
        )
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    loaded: Item = json.loads((target / "doc" / "polygist.json").read_text())
    return loaded


def arguments(args: Item | None) -> str:
    """What stands in angle brackets after a path, or in brackets after a closure's trait."""
    if not args:
        return ""
    if "parenthesized" in args:
        call = args["parenthesized"]
        inputs = ", ".join(type_text(t) for t in call["inputs"])
        output = f" -> {type_text(call['output'])}" if call["output"] else ""
        return f"({inputs}){output}"
    inside = args.get("angle_bracketed", {})
    parts = []
    for arg in inside.get("args", []):
        if arg == "infer":
            parts.append("_")
        elif "type" in arg:
            parts.append(type_text(arg["type"]))
        elif "lifetime" in arg:
            parts.append(arg["lifetime"])
        else:
            parts.append(str(arg.get("const", {}).get("expr", "_")))
    for constraint in inside.get("constraints", []):
        binding = constraint["binding"]
        name = constraint["name"]
        if "equality" in binding:
            parts.append(f"{name} = {type_text(binding['equality'].get('type'))}")
        else:
            parts.append(f"{name}: {bounds(binding['constraint'])}")
    return f"<{', '.join(parts)}>" if parts else ""


def bounds(given: list[Item]) -> str:
    """Traits and lifetimes that a type must have."""
    texts = []
    for bound in given:
        if "trait_bound" in bound:
            trait = bound["trait_bound"]["trait"]
            texts.append(trait["path"] + arguments(trait["args"]))
        elif "outlives" in bound:
            texts.append(bound["outlives"])
    return " + ".join(texts)


def type_text(given: Any) -> str:
    """A type as source code has it."""
    if given is None:
        return "()"
    [(kind, inner)] = given.items()
    match kind:
        case "primitive" | "generic":
            return str(inner)
        case "resolved_path":
            return str(inner["path"]) + arguments(inner["args"])
        case "borrowed_ref":
            lifetime = f"{inner['lifetime']} " if inner["lifetime"] else ""
            mutable = "mut " if inner["is_mutable"] else ""
            return f"&{lifetime}{mutable}{type_text(inner['type'])}"
        case "slice":
            return f"[{type_text(inner)}]"
        case "array":
            return f"[{type_text(inner['type'])}; {inner['len']}]"
        case "tuple":
            return f"({', '.join(type_text(t) for t in inner)})"
        case "impl_trait":
            return f"impl {bounds(inner)}"
        case "dyn_trait":
            traits = bounds([{"trait_bound": t} for t in inner["traits"]])
            return f"dyn {traits}"
        case "qualified_path":
            return f"{type_text(inner['self_type'])}::{inner['name']}"
        case _:
            return f"<{kind}>"


def function(name: str, inner: Item) -> str:
    """A function's signature."""
    signature = inner["sig"]
    generics = [
        p["name"] + (f": {b}" if (b := bounds(p["kind"]["type"]["bounds"])) else "")
        for p in inner["generics"]["params"]
        if "type" in p["kind"] and not p["kind"]["type"]["is_synthetic"]
    ]
    listed = f"<{', '.join(generics)}>" if generics else ""
    inputs = ", ".join(
        f"{n}: {type_text(t)}" if n != "self" else type_text(t) for n, t in signature["inputs"]
    )
    output = f" -> {type_text(signature['output'])}" if signature["output"] else ""
    return f"fn {name}{listed}({inputs}){output}"


class Listing:
    """The lines of the list, as they are found."""

    def __init__(self, items: Item) -> None:
        self.index: dict[str, Item] = items["index"]
        self.lines: list[str] = []

    def item(self, number: Any) -> Item | None:
        item = self.index.get(str(number))
        return None if item is None or "hidden" in str(item["attrs"]) else item

    def members(self, path: str, numbers: list[Any]) -> None:
        """Fields or variants."""
        for number in numbers:
            if (item := self.item(number)) is None:
                continue
            [(kind, inner)] = item["inner"].items()
            if kind == "struct_field" and item["visibility"] in ("public", "default"):
                self.lines.append(f"{path}.{item['name']}: {type_text(inner)}")
            elif kind == "variant":
                self.variant(f"{path}::{item['name']}", inner["kind"])

    def variant(self, path: str, kind: Any) -> None:
        if kind == "plain":
            self.lines.append(path)
        elif "tuple" in kind:
            fields = [self.item(n) for n in kind["tuple"]]
            types = [type_text(f["inner"]["struct_field"]) for f in fields if f]
            self.lines.append(f"{path}({', '.join(types)})")
        else:
            self.lines.append(path)
            self.members(path, kind["struct"]["fields"])

    def implementations(self, path: str, numbers: list[Any]) -> None:
        """Methods, and the traits that are implemented by hand or derived."""
        for number in numbers:
            if (item := self.item(number)) is None:
                continue
            inner = item["inner"]["impl"]
            if inner["is_synthetic"] or inner["blanket_impl"]:
                continue
            if inner["trait"]:
                trait = inner["trait"]
                self.lines.append(f"impl {trait['path']}{arguments(trait['args'])} for {path}")
                continue
            for method in (self.item(n) for n in inner["items"]):
                if method and method["visibility"] == "public" and "function" in method["inner"]:
                    text = function(method["name"], method["inner"]["function"])
                    self.lines.append(f"{path}: {text}")

    def add(self, name: str, item: Item) -> None:
        """An item under the name by which a program finds it."""
        path = f"polygist::{name}"
        [(kind, inner)] = item["inner"].items()
        exhaustive = "" if "non_exhaustive" not in str(item["attrs"]) else " (non-exhaustive)"
        if kind == "function":
            self.lines.append(f"polygist: {function(name, inner)}")
        elif kind == "type_alias":
            self.lines.append(f"type {path} = {type_text(inner['type'])}")
        elif kind in ("struct", "enum"):
            self.lines.append(f"{kind} {path}{exhaustive}")
            if kind == "enum":
                self.members(path, inner["variants"])
            elif isinstance(inner["kind"], dict) and "plain" in inner["kind"]:
                self.members(path, inner["kind"]["plain"]["fields"])
            self.implementations(path, inner["impls"])
        else:
            self.lines.append(f"{kind} {path}")


def listing() -> str:
    """The whole list."""
    items = rustdoc()
    found = Listing(items)
    root = items["index"][str(items["root"])]
    for number in root["inner"]["module"]["items"]:
        item = found.item(number)
        if item is None:
            continue
        if "use" in item["inner"]:
            use = item["inner"]["use"]
            # The item may live in a hidden module, and is none the less public by this name.
            if (used := found.index.get(str(use["id"]))) is not None:
                found.add(use["name"], used)
        else:
            found.add(item["name"], item)
    return "\n".join(sorted(set(found.lines))) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="compare with docs/public-api.txt")
    group.add_argument("--write", action="store_true", help="write docs/public-api.txt")
    options = parser.parse_args()
    text = listing()
    if options.write:
        LIST.write_text(text)
    elif options.check:
        before = LIST.read_text().splitlines()
        changes = list(difflib.unified_diff(before, text.splitlines(), "docs", "today", n=0))
        if changes:
            print("\n".join(changes))
            print(
                "The public items changed. If that is meant: python3 scripts/public_api.py --write"
            )
            return 1
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

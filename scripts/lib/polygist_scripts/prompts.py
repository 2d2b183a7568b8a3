"""Prompts exactly as the engine gives them to a language model (`src/task/prompts.rs`)."""

import tomllib

from polygist_scripts.data import ROOT

LANGUAGES = tomllib.loads((ROOT / "models" / "languages.toml").read_text(encoding="utf-8"))
EXAMPLES: list[dict[str, str]] = tomllib.loads(
    (ROOT / "models" / "prompts.toml").read_text(encoding="utf-8")
)["example"]
# The examples end with an empty line; the engine stops at the first "\n", which this begins with.
END = "\n\n"


def language(code: str) -> str:
    """The English name of a language."""
    name: str = LANGUAGES[code]["name"]
    return name


def translation(source: str, target: str, examples: int = 0) -> tuple[str, str]:
    """What stands before and after a text to translate, with the last so many examples."""
    source_name, target_name = language(source), language(target)
    shown = "".join(
        f"{source_name}: {example[source]}\n{target_name}: {example[target]}{END}"
        for example in EXAMPLES[max(0, len(EXAMPLES) - examples) :]
    )
    return f"{shown}{source_name}: ", f"\n{target_name}:"


def summary(code: str) -> tuple[str, str]:
    """What stands before and after an article to summarize in its own language."""
    return f"{language(code)}: ", f"\nSummary in {language(code)}:"

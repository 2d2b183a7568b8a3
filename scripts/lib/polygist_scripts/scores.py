"""BLEU and chrF of translations; needs sacrebleu."""

from importlib.util import find_spec
from typing import Any

import sacrebleu


def metrics(target: str) -> tuple[Any, Any]:
    """BLEU and chrF for translations into a language."""
    spaceless = {"zh": "zh", "ja": "ja-mecab" if find_spec("MeCab") else "char"}
    return sacrebleu.BLEU(tokenize=spaceless.get(target, "13a")), sacrebleu.CHRF()

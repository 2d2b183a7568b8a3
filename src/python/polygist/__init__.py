"""Translations and summaries of articles in any language, with models on this machine.

>>> import polygist
>>> str(polygist.translate("Bonjour.", to="en"))            # doctest: +SKIP
'Hello.'

Texts are a string, a list of strings, or a column: a pandas or polars Series, an Arrow array. A
string gives one result, a list a list of them (None for None), a column a column of texts. Ctrl-C
stops the work, and other threads go on while it is done.
"""

import functools
import os
import sys

from ._polygist import PolygistError, Sentence, Summary, Translation, __version__
from ._polygist import Summarizer as _Summarizer
from ._polygist import Translator as _Translator
from ._polygist import detect as _detect

__all__ = [
    "PolygistError",
    "Sentence",
    "Summarizer",
    "Summary",
    "Translation",
    "Translator",
    "__version__",
    "detect",
    "summarize",
    "translate",
]


class _Machine:
    """Where models are, and how they compute."""

    def __init__(self, device, precision, threads, cache_dir, offline):
        self.device = device
        self.precision = precision
        self.threads = threads
        self.cache_dir = cache_dir
        self.offline = offline


class Translator:
    """Translates texts; models are opened when they are needed first, and stay open."""

    def __init__(
        self,
        model=(),
        *,
        preset="balanced",
        adapter=None,
        glossary=(),
        keep=(),
        device=None,
        precision=None,
        threads=None,
        cache_dir=None,
        offline=False,
    ):
        machine = _Machine(device, precision, threads, cache_dir, offline)
        self._inner = _Translator(
            _several(model), preset, adapter, _several(glossary), _several(keep), machine
        )

    def translate(self, texts, to, source=None):
        """Translates texts into a language, from one or, without `source`, from each one's own."""
        return _over(texts, lambda given: self._inner.translate(given, to, source))


class Summarizer:
    """Summarizes articles, in their own language or in another."""

    def __init__(
        self,
        to=None,
        *,
        length="medium",
        style="paragraph",
        model=None,
        device=None,
        precision=None,
        threads=None,
        cache_dir=None,
        offline=False,
    ):
        machine = _Machine(device, precision, threads, cache_dir, offline)
        model = None if model is None else os.fspath(model)
        self._inner = _Summarizer(to, length, style, model, machine)

    def summarize(self, texts):
        """Summarizes texts, each by itself."""
        return _over(texts, self._inner.summarize)


def translate(texts, to, source=None, **options):
    """Translates texts; the options are those of `Translator`, which is kept for the next call."""
    return _kept(Translator, _frozen(options)).translate(texts, to, source)


def summarize(texts, to=None, **options):
    """Summarizes texts; the options are those of `Summarizer`, which is kept for the next call."""
    return _kept(Summarizer, _frozen({"to": to, **options})).summarize(texts)


def detect(text):
    """The language of a text and how sure that is, as ("fr", 0.98); "und" where it is not told."""
    return _detect(text)


@functools.lru_cache(maxsize=4)
def _kept(kind, options):
    return kind(**dict(options))


def _frozen(options):
    lists = (list, tuple)
    return tuple(
        (name, tuple(value) if isinstance(value, lists) else value)
        for name, value in sorted(options.items())
    )


def _several(value):
    """One thing or several, as a list of strings."""
    if isinstance(value, (list, tuple)):
        return [os.fspath(one) for one in value]
    return [os.fspath(value)]


def _over(texts, work):
    """Does the work for the texts in whatever they came in, in one call."""
    if isinstance(texts, str):
        return work([texts])[0]
    kind = type(texts).__module__.partition(".")[0]
    column = _COLUMNS.get(kind)
    values = column[0](texts) if column else list(texts)
    places = [place for place, value in enumerate(values) if isinstance(value, str)]
    if not column:
        for place, value in enumerate(values):
            if value is not None and not isinstance(value, str):
                found = type(value).__name__
                raise TypeError(f"texts[{place}]: expected a string or None, found {found}")
    results = [None] * len(values)
    for place, result in zip(places, work([values[place] for place in places]) if places else []):
        results[place] = str(result) if column else result
    return column[1](texts, results) if column else results


def _pandas(column, results):
    import pandas

    return pandas.Series(results, index=column.index, name=column.name, dtype=object)


def _polars(column, results):
    import polars

    return polars.Series(column.name, results, dtype=polars.String)


def _arrow(_, results):
    import pyarrow

    return pyarrow.array(results, pyarrow.string())


# How a column gives its values, and what it becomes. None of these packages is needed.
_COLUMNS = {
    "pandas": (lambda column: column.tolist(), _pandas),
    "polars": (lambda column: column.to_list(), _polars),
    "pyarrow": (lambda column: column.to_pylist(), _arrow),
}


def _main():
    """The program on the command line, which this package brings along."""
    from ._polygist import run

    sys.exit(run(["polygist", *sys.argv[1:]]))

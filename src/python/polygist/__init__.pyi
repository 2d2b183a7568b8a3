import os
from collections.abc import Iterable, Sequence
from typing import Any, Literal, overload

_Path = str | os.PathLike[str]

__version__: str

class PolygistError(RuntimeError): ...

class Sentence:
    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def problems(self) -> list[str]: ...

class Translation:
    @property
    def text(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def problems(self) -> list[str]: ...
    @property
    def sentences(self) -> list[Sentence]: ...

class Summary:
    @property
    def text(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def sentences(self) -> list[str]: ...
    @property
    def method(self) -> str: ...

class Translator:
    def __init__(
        self,
        model: _Path | Sequence[_Path] = (),
        *,
        preset: Literal["fast", "balanced", "best"] = "balanced",
        adapter: _Path | None = None,
        glossary: _Path | Sequence[_Path] = (),
        keep: str | Sequence[str] = (),
        device: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        cache_dir: _Path | None = None,
        offline: bool = False,
    ) -> None: ...
    @overload
    def translate(self, texts: str, to: str, source: str | None = None) -> Translation: ...
    @overload
    def translate(
        self, texts: list[str] | tuple[str, ...], to: str, source: str | None = None
    ) -> list[Translation]: ...
    @overload
    def translate(self, texts: Iterable[str | None], to: str, source: str | None = None) -> Any: ...

class Summarizer:
    def __init__(
        self,
        to: str | None = None,
        *,
        length: str = "medium",
        style: Literal["paragraph", "bullets", "headline"] = "paragraph",
        model: _Path | None = None,
        device: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        cache_dir: _Path | None = None,
        offline: bool = False,
    ) -> None: ...
    @overload
    def summarize(self, texts: str) -> Summary: ...
    @overload
    def summarize(self, texts: list[str] | tuple[str, ...]) -> list[Summary]: ...
    @overload
    def summarize(self, texts: Iterable[str | None]) -> Any: ...

@overload
def translate(texts: str, to: str, source: str | None = None, **options: Any) -> Translation: ...
@overload
def translate(
    texts: list[str] | tuple[str, ...], to: str, source: str | None = None, **options: Any
) -> list[Translation]: ...
@overload
def translate(
    texts: Iterable[str | None], to: str, source: str | None = None, **options: Any
) -> Any: ...
@overload
def summarize(texts: str, to: str | None = None, **options: Any) -> Summary: ...
@overload
def summarize(
    texts: list[str] | tuple[str, ...], to: str | None = None, **options: Any
) -> list[Summary]: ...
@overload
def summarize(texts: Iterable[str | None], to: str | None = None, **options: Any) -> Any: ...
def detect(text: str) -> tuple[str, float]: ...

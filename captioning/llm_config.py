"""LLM settings from YAML: ``serve`` (what to start, optional) and ``engine`` (how to ask); unknown keys are errors.

A name without a suffix, such as ``qwen3-next-80b``, is one of the examples in ``captioning/configs``.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from .settings import EngineConfigError, EngineSettings
from .vllm_server import ServeOptions

T = TypeVar("T")
# Set by the command, never by a file: a key must not be written down where it is committed.
_NOT_IN_FILES = frozenset({"api_key"})


@dataclass(frozen=True, slots=True)
class LlmConfig:
    """``engine`` holds keyword arguments of :class:`EngineSettings`, since the servers' addresses may come later."""

    engine: Mapping[str, Any]
    serve: ServeOptions | None = None

    def settings(self, **more: Any) -> EngineSettings:
        """The engine's settings with ``more`` (addresses, cache folder, key ...) on top; raises EngineConfigError."""
        given = dict(self.engine) | {name: value for name, value in more.items() if value is not None}
        if self.serve is not None:
            given.setdefault("model", self.serve.name)
        for name in ("base_urls", "model"):
            if name not in given:
                raise EngineConfigError(f"LLM settings: {name} is missing; give --{name.replace('_', '-').rstrip('s')}")
        return _build(EngineSettings, given, "engine")


def load_llm_config(source: str | Path) -> LlmConfig:
    """Read a YAML file or one of the examples; raises EngineConfigError naming file and key."""
    path = Path(source)
    if path.suffix in (".yaml", ".yml"):
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise EngineConfigError(f"LLM config {path}: {error.strerror}") from None
    else:
        folder = files("captioning").joinpath("configs")
        known = sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
        if str(source) not in known:
            raise EngineConfigError(
                f"no LLM config named {str(source)!r}; known: {', '.join(known)}; or give a .yaml file"
            )
        text = folder.joinpath(f"{source}.yaml").read_text(encoding="utf-8")
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise EngineConfigError(f"LLM config {source}: not YAML: {error}") from None
    return read_llm_config(data, str(source))


def read_llm_config(data: Any, where: str = "LLM config") -> LlmConfig:
    """The same from parsed YAML."""
    _check_keys(data, ("engine", "serve"), where)
    engine = data.get("engine") or {}
    _check_keys(engine, [f.name for f in fields(EngineSettings) if f.name not in _NOT_IN_FILES], f"{where}: engine")
    serve = data.get("serve")
    if serve is not None:
        _check_keys(serve, [f.name for f in fields(ServeOptions)], f"{where}: serve")
        serve = _build(ServeOptions, serve, f"{where}: serve")
    return LlmConfig(engine, serve)


def _check_keys(data: Any, known: list[str] | tuple[str, ...], where: str) -> None:
    if not isinstance(data, Mapping):
        raise EngineConfigError(f"{where}: not a mapping of {', '.join(known)}")
    for name in data:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise EngineConfigError(f"{where}: unknown key {name!r}; {hint}")


def _build(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise EngineConfigError(f"{where}: {place}: {first['msg']}") from None

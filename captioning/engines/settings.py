"""Settings of the LLM engine, and the errors that its user can act on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

KEY_VARIABLES = ("FGMCAPS_API_KEY", "OPENAI_API_KEY")


class EngineConfigError(ValueError):
    """A setting that cannot work, or that the server refuses for good (key, model); the message says the remedy."""


class ServerUnavailableError(RuntimeError):
    """No endpoint answers; the message names them and what was last seen."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How to reach and ask the servers. Times are seconds.

    ``base_urls`` are OpenAI-compatible roots such as ``http://127.0.0.1:8000/v1``, used in rotation. ``api_key`` is
    read from FGMCAPS_API_KEY or OPENAI_API_KEY where it is None; it is in no repr, log, cache or row. ``revision`` is
    provenance only. ``structured`` holds answers to the facts by a grammar (:mod:`fgmcaps.captioning.grammar`):
    ``auto`` where the server can, which is found out once per endpoint; ``facts`` always, else EngineConfigError;
    ``off`` never.
    ``timeout_s`` bounds one request, ``deadline_s`` one question with all its tries; after ``outage_s`` without any
    answer from any endpoint, questions are given up at once. ``max_tries`` counts timeouts, 5xx and garbled answers.
    ``round`` is part of the cache key: a new round asks anew where an earlier one is cached (``--only-rejected``).
    """

    base_urls: tuple[str, ...]
    model: str
    revision: str = ""
    styles: tuple[str, ...] = ("objective",)
    api_key: str | None = field(default=None, repr=False)
    temperature: float = 0.7
    top_p: float = 0.8
    max_tokens: int = 200
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    structured: Literal["auto", "facts", "off"] = "auto"
    concurrency: int = 256
    max_attempts: int = 3
    timeout_s: float = 60.0
    deadline_s: float = 300.0
    outage_s: float = 120.0
    max_tries: int = 8
    backoff_s: float = 0.5
    max_backoff_s: float = 30.0
    max_response_bytes: int = 65_536
    cache_dir: Path | None = None
    round: int = 0
    template_seed: int = 0

    def __post_init__(self) -> None:
        if not self.base_urls:
            raise EngineConfigError("no server given: set base_urls, e.g. http://127.0.0.1:8000/v1")
        for url in self.base_urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.netloc:
                raise EngineConfigError(f"not an http(s) address of a server: {url!r}")
            if parts.username or parts.password:
                raise EngineConfigError("credentials do not belong into the server's address; use FGMCAPS_API_KEY")
        if not self.model:
            raise EngineConfigError("no model given: set model to the name that the server serves")
        for name in ("concurrency", "max_attempts", "max_tries", "max_tokens", "max_response_bytes"):
            if getattr(self, name) < 1:
                raise EngineConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("timeout_s", "deadline_s", "outage_s", "backoff_s", "max_backoff_s"):
            if not getattr(self, name) > 0:
                raise EngineConfigError(f"{name} must be positive, got {getattr(self, name)}")
        if not self.styles:
            raise EngineConfigError("no caption style given")

    @property
    def key(self) -> str | None:
        """The API key: the option, else the environment, else None."""
        return self.api_key or next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), None)

    @property
    def sampling(self) -> dict[str, Any]:
        """What shapes the answer beside prompt and model; part of the cache key."""
        own = {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens}
        return own | dict(self.extra_body)

    @property
    def model_label(self) -> str:
        """``model`` or ``model@revision``, as rows carry it."""
        return f"{self.model}@{self.revision}" if self.revision else self.model

"""A caption with its provenance, and the verdict of the checker."""

from dataclasses import dataclass
from typing import Literal

CaptionSource = Literal["llm", "template"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of one check. ``rule`` names the first rule broken (empty when ok), ``words`` the words that broke it."""

    ok: bool
    rule: str = ""
    words: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class StyledCaption:
    """A caption in one style (``objective``, ``short``, ``keywords``, ``casual``)."""

    style: str
    text: str


@dataclass(frozen=True, slots=True)
class Caption:
    """The caption of one clip. ``model`` is empty for the template; ``attempts`` counts the requests that made it."""

    clip_id: str
    text: str
    style: str
    source: CaptionSource
    model: str
    prompt_version: str
    attempts: int = 0
    rejected: tuple[Verdict, ...] = ()
    extra: tuple[StyledCaption, ...] = ()

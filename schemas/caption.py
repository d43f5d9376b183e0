"""A caption with its provenance, and the verdict of the checker."""

from dataclasses import dataclass
from typing import Literal

# ``imported``: written by others and taken over with a dataset of theirs; never held against the row's facts.
CaptionSource = Literal["llm", "template", "imported"]


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
    """The caption of one clip. ``model`` is empty for the template; ``attempts`` counts the requests that made it.

    For an imported caption ``model`` is who wrote it where the source says so, ``prompt_version`` names the source.
    """

    clip_id: str
    text: str
    style: str
    source: CaptionSource
    model: str
    prompt_version: str
    attempts: int = 0
    rejected: tuple[Verdict, ...] = ()
    extra: tuple[StyledCaption, ...] = ()

"""The template path from facts to a whole :class:`schemas.Caption`, every text checked."""

from collections.abc import Sequence
from typing import Protocol

from fgmcaps.captioning.checker.check import check_caption
from fgmcaps.captioning.engines.template import TEMPLATE_VERSION
from fgmcaps.schemas import Caption, Facts, StyledCaption


class CaptionBugError(RuntimeError):
    """The template wrote a caption that its own check refuses: a bug of the grammar or of the checker."""


class TextEngine(Protocol):
    """What writes one text from facts, such as :class:`captioning.TemplateEngine`."""

    def write(self, clip_id: str, facts: Facts, style: str = "objective") -> str:
        """The caption text of one clip in one style."""
        ...


def write_caption(engine: TextEngine, clip_id: str, facts: Facts, styles: Sequence[str] = ("objective",)) -> Caption:
    """Caption of a clip: ``styles[0]`` is the caption itself, the others go into ``extra``.

    Raises CaptionBugError, naming clip, style, rule and words, if a text does not pass
    :func:`captioning.check_caption`; ValueError if no style is given or one is unknown.
    """
    if not styles:
        raise ValueError("no caption style given")
    texts = [StyledCaption(style, checked_text(engine, clip_id, facts, style)) for style in styles]
    return Caption(clip_id, texts[0].text, texts[0].style, "template", "", TEMPLATE_VERSION, extra=tuple(texts[1:]))


def checked_text(engine: TextEngine, clip_id: str, facts: Facts, style: str) -> str:
    """One text of ``engine``; raises CaptionBugError if the checker refuses it."""
    text = engine.write(clip_id, facts, style)
    verdict = check_caption(text, facts, style)
    if not verdict.ok:
        raise CaptionBugError(
            f"clip {clip_id}, style {style}: the template's caption fails its check ({verdict.rule}: "
            f"{', '.join(verdict.words)}): {text!r}"
        )
    return text

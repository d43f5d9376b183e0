"""rich's console for text of others (:mod:`fgmcaps.common.terminal`)."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from fgmcaps.common.terminal import visible


class SafeConsole(Console):
    """rich's console without its markup and highlighting; nothing in a text is more than text."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"markup": False, "highlight": False, "emoji": False} | settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich's, each piece of text made visible. rich's own cursor movements are no text and pass."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)

    def out(self, *objects: Any, sep: str = " ", end: str = "\n", style: Any = None, highlight: Any = None) -> None:
        """A line as it is, for other programs: not wrapped, no style, and tabs stay, which rich would expand."""
        if not self.quiet:
            self.file.write(sep.join(visible(str(item)) for item in objects) + end)
            self.file.flush()

"""Chordino (NNLS chroma and a chord dictionary) as the package chord-extractor ships it, in an environment of its own.

Mauch and Dixon, "Approximate note transcription for the improved identification of difficult chords", ISMIR 2010.
GPL-2: it is used only where the user made its environment, and nothing of ours links to it.
"""

from typing import ClassVar

from fgmcaps.annotators.tools.isolated_chords import IsolatedChordTool
from fgmcaps.schemas import ToolInfo
from fgmcaps.schemas.estimate import Detail

CHORD_EXTRACTOR_VERSION = "0.1.3"


class ChordinoChords(IsolatedChordTool):
    """Triads, sixths, sevenths, half-diminished and inversions; it gives no confidence.

    Environment: see :class:`IsolatedChordTool`; variable ``FGMCAPS_CHORDINO_ENV``.
    """

    sample_rate: ClassVar[int] = 22_050
    environment_variable: ClassVar[str] = "FGMCAPS_CHORDINO_ENV"
    make_target: ClassVar[str] = "chordino"
    worker_module: ClassVar[str] = "fgmcaps.annotators.workers.chordino"

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        url = "https://github.com/ohollo/chord-extractor"
        return ToolInfo("chordino", CHORD_EXTRACTOR_VERSION, "GPL-2.0-or-later", url)

    @property
    def versions(self) -> dict[str, str]:
        """The pinned version."""
        return {"chord-extractor": CHORD_EXTRACTOR_VERSION}

    def settings(self) -> dict[str, Detail]:
        """Parameters of the plug-in are fixed; nothing else changes the result."""
        return {}

"""Soundfonts from Debian packages: used where installed, else downloaded and unpacked, never installed."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.truth.debian import unpacked


@dataclass(frozen=True, slots=True)
class Soundfont:
    """A General MIDI bank: Debian package, path in it, licence as the package's copyright file states it."""

    name: str
    package: str
    path: str
    licence: str


SOUNDFONTS = {
    font.name: font
    for font in (
        Soundfont("TimGM6mb", "timgm6mb-soundfont", "usr/share/sounds/sf2/TimGM6mb.sf2", "GPL-2"),
        Soundfont("FluidR3", "fluid-soundfont-gm", "usr/share/sounds/sf2/FluidR3_GM.sf2", "MIT"),
        Soundfont("CsoundGM", "csound-soundfont", "usr/share/sounds/sf2/sf_GMbank.sf2", "LGPL-2.1+"),
        Soundfont(
            "MuseScoreLite",
            "musescore-general-soundfont-small",
            "usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
            "MIT",
        ),
    )
}


def find_soundfont(name: str, tools: Path) -> Path:
    """The file of a soundfont, from the system or ``tools`` (where it is unpacked to if need be).

    Raises FileNotFoundError with the apt package to install if it can neither be found nor downloaded.
    """
    font = SOUNDFONTS[name]
    installed = Path("/", font.path)
    return installed if installed.exists() else unpacked(tools, font.path, font.package)

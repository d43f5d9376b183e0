"""Soundfonts from Debian packages: used where installed, else downloaded and unpacked, never installed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


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
    for root in (Path("/"), tools):
        if (root / font.path).exists():
            return root / font.path
    tools.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "-qq", font.package], cwd=tools, check=True, capture_output=True)
        for package in tools.glob(f"{font.package}_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(tools)], check=True, capture_output=True)
            package.unlink()
    except (OSError, subprocess.CalledProcessError) as error:
        raise FileNotFoundError(
            f"soundfont {name}: not installed and not downloadable: apt install {font.package}"
        ) from error
    return tools / font.path

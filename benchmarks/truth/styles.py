"""The grooves that can be rendered: MMA's library read from its files, each with meter, family and tempo range."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.truth.families import EXCLUDED, rule_of, split_of

MMA_LIBRARY = Path("/usr/share/mma/lib")
# Grooves that are no steady accompaniment: introductions, endings, fills, single breaks, and bars in another meter.
_NO_STEADY = re.compile(r"intro|end|fill|break|coda|count|MilIntro|roll|-44|drum", re.IGNORECASE)
# Written in 4, felt in 2: the style files say to double the tempo because the music is in 2/4.
_TWO_FOUR = re.compile(r"stdlib/((bw|dixie)?march|polka|dixie|broadway|merengue|ragtime|samba)$")
# Written in 4 with two bars of oom-pah in each: the felt beat is MMA's own, the bar two of them.
_HALF_BAR_TWO_FOUR = re.compile(r"casio/(march1|polka|poppolka)$")


@dataclass(frozen=True, slots=True)
class Style:
    """A groove with what is needed to count it.

    ``mma_beats`` = MMA beats in an MMA bar (what chord charts count); ``bars`` = written bars in an MMA bar, of
    ``beats`` felt beats each; ``tempo`` = MMA's own range in BPM (felt = MMA's * ``felt_per_mma``); ``groove`` as MMA
    writes it (``casio/polka:Polka``); ``sequence`` = bars in its pattern; ``drums_only``: harmony must be added.
    """

    library: str
    file: str
    groove: str
    family: str
    meter: str
    mma_beats: int
    beats: int
    bars: int
    tempo: tuple[float, float]
    sequence: int
    drums_only: bool = False

    @property
    def split(self) -> str:
        return split_of(self.family)

    @property
    def felt_per_mma(self) -> float:
        """Felt beats in an MMA beat."""
        return self.beats * self.bars / self.mma_beats

    @property
    def compound(self) -> bool:
        """Beats of three: in 6/8, and in 4/4 styles that feel 12/8."""
        return self.meter == "6/8" or "128" in self.file


def _meter(name: str, time: int, signature: str) -> tuple[str, int, int] | None:
    """(meter, felt beats, written bars) of an MMA bar, or None where the file's own statements do not fit together."""
    if name == "casio/68ballad":  # six quarters: kick on 1 and 4, snare on 2.5 and 5.5, so two bars of 6/8 in eighths
        return "6/8", 2, 2
    if signature == "6 8" and time in (2, 6):
        return "6/8", 2, 1
    if _TWO_FOUR.search(name):
        return "2/4", 2, 1
    if _HALF_BAR_TWO_FOUR.search(name):
        return "2/4", 2, 2
    return {3: ("3/4", 3, 1), 4: ("4/4", 4, 1), 5: ("5/4", 5, 1)}.get(time)


def read_style_file(path: Path) -> list[Style]:
    """The steady grooves of one MMA library file; empty if the file is excluded."""
    name = f"{path.parent.name}/{path.stem}"
    if EXCLUDED.search(name):
        return []
    rule = rule_of(name)
    text = path.read_text(encoding="latin-1").replace("\\\n", " ")
    time, signature, sequence = 4, "", 1
    sizes: dict[str, int] = {}
    styles = []
    for line in text.splitlines():
        words = line.split("//")[0].split()
        if not words:
            continue
        command = words[0].lower()
        if command == "time" and len(words) > 1 and words[1][0].isdigit():
            upper, _, lower = words[1].partition("/")
            time, signature = int(upper), f"{upper} {lower}" if lower else signature
        elif command == "timesig" and len(words) > 1:
            signature = " ".join(words[1:]).replace("/", " ")
        elif command == "seqsize" and len(words) > 1:
            sequence = int(words[1])
        elif command == "groove" and len(words) > 1:
            sequence = sizes.get(words[1].lower(), sequence)
        elif command == "defgroove" and len(words) > 1:
            sizes[words[1].lower()] = sequence
            meter = _meter(name, time, signature)
            if meter is None or _NO_STEADY.search(words[1]):
                continue
            written, beats, bars = meter
            groove = f"{name}:{words[1]}"
            tempo = (float(rule.low), float(rule.high))
            styles.append(
                Style(
                    path.parent.name,
                    path.stem,
                    groove,
                    rule.family,
                    written,
                    time,
                    beats,
                    bars,
                    tempo,
                    sequence,
                    path.parent.name == "zoom",
                )
            )
    return styles


@cache
def library() -> tuple[Style, ...]:
    """Every steady groove of the installed MMA library; FileNotFoundError names the package if it is missing."""
    files = sorted(MMA_LIBRARY.glob("*/*.mma"))
    if not files:
        raise FileNotFoundError(f"no MMA styles in {MMA_LIBRARY}: apt install mma")
    return tuple(style for path in files for style in read_style_file(path))

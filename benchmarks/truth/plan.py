"""Which clip is what: number and seed fix split, meter, style, key, soundfont, mix. Any prefix is a sample."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.truth.made import made_styles
from benchmarks.truth.mix import Mix, draw_mix
from benchmarks.truth.styles import Style, library
from fgmcaps.schemas.music import KEYS

SPLITS = {"train": 0.68, "validation": 0.07, "test": 0.25}
METERS = {"4/4": 0.45, "3/4": 0.20, "6/8": 0.15, "2/4": 0.12, "5/4": 0.08}
# Share of made styles in a meter, by split: as many as the few MMA styles of that meter need so that none dominates.
MADE = {
    "train": {"3/4": 0.25, "6/8": 0.6, "2/4": 0.4, "5/4": 1.0},
    "validation": {"3/4": 0.4, "6/8": 1.0, "2/4": 0.5, "5/4": 1.0},
    "test": {"3/4": 0.25, "6/8": 0.5, "2/4": 0.25, "5/4": 0.7},
}
# MuseScoreLite sounds in the test split only.
SOUNDFONT_SHARES = {
    "train": {"TimGM6mb": 0.35, "FluidR3": 0.4, "CsoundGM": 0.25},
    "validation": {"TimGM6mb": 0.35, "FluidR3": 0.4, "CsoundGM": 0.25},
    "test": {"TimGM6mb": 0.15, "FluidR3": 0.25, "CsoundGM": 0.1, "MuseScoreLite": 0.5},
}


@dataclass(frozen=True, slots=True)
class Draw:
    """What clip ``number`` is, on its ``attempt``-th try (a piece that does not sound as written is drawn again)."""

    number: int
    attempt: int
    split: str
    style: Style
    key: str
    soundfont: str
    melody: bool
    mix: Mix
    rng: np.random.Generator


@cache
def _pool(split: str, meter: str, made: bool) -> dict[tuple[str, str], list[Style]]:
    """Styles by file: each file is as likely as any other, however many grooves it has."""
    pool: dict[tuple[str, str], list[Style]] = {}
    for style in made_styles() if made else library():
        if style.split == split and style.meter == meter:
            pool.setdefault((style.library, style.file), []).append(style)
    return pool


def _dealt(seed: int, number: int, salt: int, shares: dict[str, float]) -> str:
    """A name for ``number`` such that each hundred numbers holds the names in the exact shares, shuffled."""
    bounds = np.round(np.cumsum(list(shares.values())) / sum(shares.values()) * 100)
    place = int(np.random.default_rng([seed, salt, number // 100]).permutation(100)[number % 100])
    return list(shares)[int(np.searchsorted(bounds, place, side="right"))]


def _pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def draw(seed: int, number: int, attempt: int, splits: tuple[str, ...], fonts: tuple[str, ...] | None = None) -> Draw:
    """Clip ``number`` of the corpus ``seed``: meter and split stay over the attempts, the rest is drawn anew.

    ``splits`` limits the splits, ``fonts`` replaces the soundfonts. Each 24 numbers hold each key once.
    """
    split = _dealt(seed, number, 1, {split: share for split, share in SPLITS.items() if split in splits})
    meter = _dealt(seed, number, 2, METERS)
    key = KEYS[int(np.random.default_rng([seed, number // 24]).permutation(24)[number % 24])]
    rng = np.random.default_rng([seed, number, attempt])
    pool = _pool(split, meter, bool(rng.random() < MADE[split].get(meter, 0.0)))
    grooves = pool[sorted(pool)[int(rng.integers(0, len(pool)))]]
    style = grooves[int(rng.integers(0, len(grooves)))]
    font = str(rng.choice(fonts)) if fonts else _pick(rng, SOUNDFONT_SHARES[split])
    return Draw(number, attempt, split, style, key, font, bool(rng.random() < 0.45), draw_mix(rng), rng)

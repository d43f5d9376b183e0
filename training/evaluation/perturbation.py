"""The one-attribute perturbation test: does the model notice when a single fact of the caption is wrong?

Conventions
-----------
- A perturbed caption differs from the original in one attribute, everything else word for word the same. It is made
  from the row's own labels by replacing the form in which the caption states them
  (:mod:`fgmcaps.training.evaluation.surface_forms`), so that it works on captions by anybody; a caption whose form is
  not found is left out, and counted.
- ``key``: another of the 24 keys. ``bpm``: a tempo at least 8 % away (the tolerance of tempo evaluation, Gouyon et al.
  2006, is 4 %) that has the same tempo word, so that number and word still agree; where the caption has no word, any
  such tempo from 40 to 210 BPM. ``tempo_word``: another word, the number stays. ``beat_count``: another time signature.
  ``chords``: the progression transposed by 1 to 11 semitones, qualities and order kept.
- Choices are drawn from a hash of (seed, attribute, clip id): the same on every machine, whatever the pool.

Source: the perturbation table of the FIGMA paper (arXiv 2606.06615). How its captions were changed is not public.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from fgmcaps.schemas import Facts
from fgmcaps.schemas.harte import Chord, parse_chord
from fgmcaps.schemas.music import KEYS, TEMPO_MARKINGS, canonical_key, tempo_marking
from fgmcaps.training.evaluation import surface_forms as forms

ATTRIBUTES = ("key", "bpm", "tempo_word", "beat_count", "chords")
MIN_TEMPO_CHANGE = 0.08
TEMPO_RANGE = range(40, 211)
_METERS = ("2/4", "3/4", "4/4", "5/4", "6/8")
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Perturbed:
    """A caption with one wrong attribute, and the facts that it states now."""

    text: str
    facts: Facts


def perturb(caption: str, facts: Facts, attribute: str, draw: str = "") -> Perturbed | None:
    """The caption with one attribute changed; None where the row or the caption does not state it so that it can be
    found.

    ``draw``: what the choice of the new value is hashed from. ValueError for an unknown attribute.
    """
    makers = {"key": _key, "bpm": _bpm, "tempo_word": _tempo_word, "beat_count": _beat_count, "chords": _chords}
    if attribute not in makers:
        raise ValueError(f"unknown attribute {attribute!r}; known: {', '.join(ATTRIBUTES)}")
    made = makers[attribute](caption, facts, f"{attribute}|{draw}")
    return None if made is None or made.text == caption else made


def _key(caption: str, facts: Facts, draw: str) -> Perturbed | None:
    if facts.key is None:
        return None
    new = _pick([k for k in KEYS if k != canonical_key(str(facts.key))], draw)
    return _made(forms.replace_key(caption, facts.key, new), replace(facts, key=new))


def _bpm(caption: str, facts: Facts, draw: str) -> Perturbed | None:
    if facts.tempo_bpm is None:
        return None
    word = tempo_marking(facts.tempo_bpm)
    stated = forms.states_tempo_word(caption, word)
    options = [
        bpm
        for bpm in TEMPO_RANGE
        if abs(bpm / facts.tempo_bpm - 1) > MIN_TEMPO_CHANGE and (not stated or tempo_marking(bpm) == word)
    ]
    if not options:
        return None
    new = _pick(options, draw)
    return _made(
        forms.replace_bpm(caption, facts.tempo_bpm, new),
        replace(facts, tempo_bpm=new, tempo_marking=tempo_marking(new)),
    )


def _tempo_word(caption: str, facts: Facts, draw: str) -> Perturbed | None:
    if facts.tempo_marking is None:
        return None
    new = _pick([word for _, word in TEMPO_MARKINGS if word != facts.tempo_marking], draw)
    return _made(forms.replace_tempo_word(caption, facts.tempo_marking, new), replace(facts, tempo_marking=new))


def _beat_count(caption: str, facts: Facts, draw: str) -> Perturbed | None:
    if facts.time_signature is None:
        return None
    beats = facts.time_signature.split("/")[0]
    new = _pick([m for m in _METERS if m.split("/")[0] != beats], draw)
    return _made(forms.replace_time_signature(caption, facts.time_signature, new), replace(facts, time_signature=new))


def _chords(caption: str, facts: Facts, draw: str) -> Perturbed | None:
    semitones = _pick(range(1, 12), draw)
    text = forms.transpose_chords(caption, _merged(facts.chords), semitones, facts.key)
    return _made(text, replace(facts, chords=tuple(_transposed(label, semitones) for label in facts.chords)))


def _merged(labels: Sequence[str]) -> list[str]:
    """The progression as captions state it: without ``N`` and ``X``, a chord that repeats (``F#``, ``Gb``) once."""
    out: list[str] = []
    for label in labels:
        if label not in ("N", "X") and (not out or _transposed(out[-1], 0) != _transposed(label, 0)):
            out.append(label)
    return out


def _transposed(label: str, semitones: int) -> str:
    chord = parse_chord(label)
    if chord.root_pc is None:
        return label
    return str(Chord(_NAMES[(chord.root_pc + semitones) % 12], chord.quality, chord.degrees, chord.bass))


def _made(text: str | None, facts: Facts) -> Perturbed | None:
    return None if text is None else Perturbed(text, facts)


def _pick(options: Sequence[T], draw: str) -> T:
    digest = hashlib.sha256(draw.encode("utf-8", "surrogatepass")).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]

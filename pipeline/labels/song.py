"""What a whole song is, from the clips that it was cut into: one tempo, key and meter, and the parts that differ.

Every clip says what it may be and how probable that is (:class:`fgmcaps.schemas.Fused`); what most of the song's time
says is the song's. A part differs where at least two clips in a row, by labels that passed the filter, say otherwise.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from fgmcaps.annotators.fusion.track.context import SAME_TEMPO
from fgmcaps.schemas import Annotation, ChordSpan

_LEAST_CLIPS = 2
_DOUBLED = 0.6
"""A beat nearer to the last one than this share of the usual interval is the same beat, found in two clips."""


@dataclass(frozen=True, slots=True)
class Belief:
    """A value and the share of the song's time that is believed to have it, 0 .. 1."""

    value: str
    share: float


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch in seconds, and what there is other than in the rest of the song."""

    start_s: float
    end_s: float
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Song:
    """A whole song; ``tempo`` in BPM. None where no clip says anything."""

    seconds: float
    tempo: Belief | None
    meter: Belief | None
    key: Belief | None
    parts: tuple[Part, ...] = ()


def song_of(annotations: Sequence[Annotation]) -> Song:
    """The song of its clips, which are in order of time."""
    seconds = max((a.clip.start_s + a.clip.duration_s for a in annotations), default=0.0)
    tempo, meter, key = _tempo(annotations), _named(annotations, "meter"), _named(annotations, "key")
    parts = [
        *_parts(annotations, lambda a: _other_tempo(a, tempo)),
        *_parts(annotations, lambda a: _other(a.labels.time_signature, meter)),
        *_parts(annotations, lambda a: _other(a.labels.key, key)),
    ]
    return Song(seconds, tempo, meter, key, tuple(sorted(parts, key=lambda part: (part.start_s, part.differs))))


def beats_of(annotations: Sequence[Annotation], *, kept: bool = False) -> list[tuple[float, bool]]:
    """``(time in s, whether a bar begins)`` of all beats of a song, each once; ``kept``: only those that passed."""
    found: list[tuple[float, bool]] = []
    for annotation in annotations:
        source = annotation.labels if kept or annotation.labels.fused is None else annotation.labels.fused
        down = set(source.downbeats)
        found += [(round(annotation.clip.start_s + time, 4), time in down) for time in source.beats]
    found.sort()
    gaps = [b[0] - a[0] for a, b in pairwise(found) if b[0] - a[0] > 0.1]
    least = _DOUBLED * median(gaps) if gaps else 0.0
    out: list[tuple[float, bool]] = []
    for time, first in found:
        if out and time - out[-1][0] < least:
            out[-1] = (out[-1][0], out[-1][1] or first)
        else:
            out.append((time, first))
    return out


def chords_of(annotations: Sequence[Annotation]) -> list[ChordSpan]:
    """All chords of a song by its time, equal neighbours joined."""
    out: list[ChordSpan] = []
    for annotation in annotations:
        source = annotation.labels if annotation.labels.fused is None else annotation.labels.fused
        at = annotation.clip.start_s
        for span in source.chords:
            moved = ChordSpan(round(at + span.start, 4), round(at + span.end, 4), span.label, span.confidence)
            if out and out[-1].label == moved.label and moved.start - out[-1].end < 0.05:
                out[-1] = ChordSpan(out[-1].start, moved.end, moved.label, out[-1].confidence)
            else:
                out.append(moved)
    return out


def _named(annotations: Iterable[Annotation], attribute: str) -> Belief | None:
    belief: dict[str, float] = defaultdict(float)
    seconds = 0.0
    for annotation in annotations:
        fused, long = annotation.labels.fused, annotation.clip.duration_s
        seconds += long
        if fused is None:
            continue
        value = fused.key if attribute == "key" else fused.time_signature
        probability = fused.key_probability if attribute == "key" else fused.meter_probability
        others = fused.key_alternatives if attribute == "key" else fused.meter_alternatives
        if value is not None:
            belief[value] += long * (probability if probability is not None else 1.0)
        for other in others:
            belief[other.value] += long * other.probability
    if not belief:
        return None
    best = max(belief, key=lambda name: (round(belief[name], 9), name))
    return Belief(best, belief[best] / seconds)


def _tempo(annotations: Iterable[Annotation]) -> Belief | None:
    said: list[tuple[float, float]] = []
    seconds = 0.0
    for annotation in annotations:
        fused, long = annotation.labels.fused, annotation.clip.duration_s
        seconds += long
        if fused is None or fused.tempo_bpm is None:
            continue
        said.append((fused.tempo_bpm, long * (1.0 if fused.tempo_probability is None else fused.tempo_probability)))
        said += [(other.bpm, long * other.probability) for other in fused.tempo_alternatives]
    if not said:
        return None

    def near(bpm: float) -> list[tuple[float, float]]:
        return [(other, weight) for other, weight in said if abs(other - bpm) <= SAME_TEMPO * bpm]

    best = max((bpm for bpm, _ in said), key=lambda bpm: (round(sum(w for _, w in near(bpm)), 9), bpm))
    group = near(best)
    weight = sum(w for _, w in group)
    mean = sum(bpm * w for bpm, w in group) / weight
    return Belief(f"{mean:.1f}", weight / seconds)


def _other(value: str | None, song: Belief | None) -> str | None:
    return value if value is not None and song is not None and value != song.value else None


def _other_tempo(annotation: Annotation, song: Belief | None) -> str | None:
    bpm = annotation.labels.tempo_bpm
    if bpm is None or song is None or abs(bpm - float(song.value)) <= SAME_TEMPO * float(song.value):
        return None
    return f"{bpm:.0f} BPM"


def _parts(annotations: Sequence[Annotation], differs: Callable[[Annotation], str | None]) -> list[Part]:
    out = []
    for value, group in groupby(annotations, key=differs):
        clips = list(group)
        if value is not None and len(clips) >= _LEAST_CLIPS:
            last = clips[-1].clip
            out.append(Part(clips[0].clip.start_s, last.start_s + last.duration_s, (value,)))
    return out

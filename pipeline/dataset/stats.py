"""Statistics of a finished dataset, in one pass over its shards that never reads audio.

Conventions
-----------
- *Coverage* of an attribute is the share of rows in which it is neither null nor empty.
- *distinct-n* (Li et al., NAACL 2016) is the number of different word n-grams over the number of word n-grams. It
  falls as a corpus grows, so it is taken over the first ``DISTINCT_CAPTIONS`` captions of the manifest's order: ids
  are hashes, hence a random sample, and datasets of any size compare. That also bounds the memory.
- Histogram bins are closed below and open above; the last one is closed.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgmcaps.captioning import self_bleu
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import LIGHT_COLUMNS, iter_rows
from fgmcaps.schemas import Manifest, ToolInfo
from fgmcaps.schemas.arrow import COLUMNS
from fgmcaps.schemas.harte import ChordSyntaxError, parse_chord

DISTINCT_CAPTIONS = 10_000
SELF_BLEU_CAPTIONS = 100
TOP = 40
COVERED: tuple[tuple[str, str], ...] = (
    ("tempo", "tempo_bpm"),
    ("meter", "time_signature"),
    ("key", "key"),
    ("chords", "chord_summary"),
    ("beats", "beats"),
    ("downbeats", "downbeats"),
    ("genre", "genre"),
    ("mood", "mood"),
    ("title", "title"),
    ("artist", "artist"),
    ("album", "album"),
    ("licence", "licence"),
)
CONFIDENCES = ("tempo_confidence", "meter_confidence", "key_confidence", "chords_confidence")
_TEMPO_EDGES = tuple(float(edge) for edge in range(30, 251, 10))
_UNIT_EDGES = tuple(round(i / 20, 2) for i in range(21))
_LENGTH_EDGES = tuple(float(edge) for edge in range(0, 521, 20))
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[i]`` values lie in ``edges[i] .. edges[i + 1]``; ``below`` and ``above`` lie outside."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int
    above: int
    mean: float | None

    @property
    def total(self) -> int:
        """Values counted, those outside the edges included."""
        return sum(self.counts) + self.below + self.above


@dataclass(frozen=True, slots=True)
class Stats:
    """What ``fgmcaps stats`` prints; JSON by ``schemas.to_json``. Shares are in 0 .. 1, lengths in characters."""

    schema_version: str
    fingerprint: str
    rows: int
    tracks: int
    hours: float
    bytes: int
    rows_per_split: dict[str, int]
    clips_found: int
    files: int
    duplicates: int
    failed: int
    filtered: int
    failed_by_reason: dict[str, int]
    filtered_by_reason: dict[str, int]
    coverage: dict[str, float]
    null_rates: dict[str, float]
    tempo: Histogram
    confidences: dict[str, Histogram]
    caption_length: Histogram
    distinct: dict[str, float]
    key: dict[str, int]
    time_signature: dict[str, int]
    tempo_marking: dict[str, int]
    chords: dict[str, int]
    chord_qualities: dict[str, int]
    genre: dict[str, int]
    mood: dict[str, int]
    licence: dict[str, int]
    source: dict[str, int]
    caption_source: dict[str, int]
    caption_style: dict[str, int]
    caption_model: dict[str, int]
    prompt_version: dict[str, int]
    qc_flags: dict[str, int]
    tools: tuple[ToolInfo, ...] = ()
    self_bleu: float = 0.0


@dataclass(slots=True)
class _Bins:
    """A histogram that is being filled."""

    edges: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    below: int = 0
    above: int = 0
    total: float = 0.0
    seen: int = 0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.edges) - 1)

    def add(self, value: float | None) -> None:
        if value is None or not math.isfinite(value):
            return
        self.seen += 1
        self.total += value
        low, high = self.edges[0], self.edges[-1]
        if value < low:
            self.below += 1
        elif value > high:
            self.above += 1
        else:
            # Edges are equally spaced; the correction undoes a division that rounds across an edge.
            i = min(int((value - low) / (high - low) * len(self.counts)), len(self.counts) - 1)
            if value < self.edges[i]:
                i -= 1
            elif i + 1 < len(self.counts) and value >= self.edges[i + 1]:
                i += 1
            self.counts[i] += 1

    def done(self) -> Histogram:
        mean = self.total / self.seen if self.seen else None
        return Histogram(self.edges, tuple(self.counts), self.below, self.above, mean)


def collect_stats(out_dir: Path) -> Stats:
    """Statistics of the dataset in ``out_dir``; ManifestError when it is not finished, ShardError when damaged."""
    manifest = read_manifest(out_dir)
    return stats_of_rows(manifest, (row for _, row in iter_rows(out_dir, manifest)))


def stats_of_rows(manifest: Manifest, rows: Iterable[Mapping[str, Any]]) -> Stats:
    """Statistics of ``rows`` (dicts with ``LIGHT_COLUMNS``), with the counts and tools of ``manifest``."""
    splits: Counter[str] = Counter()
    present: Counter[str] = Counter()
    tallies: dict[str, Counter[str]] = {name: Counter() for name in (*_SCALARS, *_LISTS, "chords", "chord_qualities")}
    tempo, length = _Bins(_TEMPO_EDGES), _Bins(_LENGTH_EDGES)
    confidences = {name: _Bins(_UNIT_EDGES) for name in CONFIDENCES}
    grams: tuple[set[tuple[str, ...]], ...] = (set(), set(), set())
    gram_totals = [0, 0, 0]
    sample: list[str] = []  # ids are hashes, so the first captions are a random sample
    rows_seen, tracks, seconds, last_track = 0, 0, 0.0, ""
    for row in rows:
        rows_seen += 1
        splits[row["split"]] += 1
        seconds += row["duration_s"] or 0.0
        if row["track_id"] != last_track:  # ids ascend in a shard and a track lies in one shard
            tracks, last_track = tracks + 1, row["track_id"]
        for name in LIGHT_COLUMNS:
            present[name] += not _empty(row[name])
        tempo.add(row["tempo_bpm"])
        for name, bins in confidences.items():
            bins.add(row[name])
        for name in _SCALARS:
            if not _empty(row[name]):
                tallies[name][row[name]] += 1
        for name in _LISTS:
            tallies[name].update(row[name] or ())
        for span in row["chords"] or ():
            label = span["label"] or ""
            tallies["chords"][label] += 1
            tallies["chord_qualities"][_quality(label)] += 1
        caption = row["caption"] or ""
        length.add(len(caption))
        if len(sample) < SELF_BLEU_CAPTIONS:
            sample.append(caption)
        if rows_seen <= DISTINCT_CAPTIONS:
            words = _WORD.findall(caption.lower())
            for n, seen in enumerate(grams, start=1):
                found = list(zip(*(words[i:] for i in range(n)), strict=False))
                gram_totals[n - 1] += len(found)
                seen.update(found)
    counts = manifest.counts
    return Stats(
        schema_version=manifest.schema_version,
        fingerprint=manifest.fingerprint,
        rows=rows_seen,
        tracks=tracks,
        hours=seconds / 3600,
        bytes=sum(shard.bytes for shard in manifest.shards),
        rows_per_split=dict(sorted(splits.items())),
        clips_found=counts.clips_found,
        files=counts.files,
        duplicates=counts.duplicates,
        failed=counts.failed,
        filtered=counts.filtered,
        failed_by_reason=_ranked(Counter(counts.failed_by_reason)),
        filtered_by_reason=_ranked(Counter(counts.filtered_by_reason)),
        coverage={name: present[column] / rows_seen if rows_seen else 0.0 for name, column in COVERED},
        null_rates={
            column.name: 1 - present[column.name] / rows_seen if rows_seen else 0.0
            for column in COLUMNS
            if column.name in LIGHT_COLUMNS
        },
        tempo=tempo.done(),
        confidences={name.removesuffix("_confidence"): bins.done() for name, bins in confidences.items()},
        caption_length=length.done(),
        distinct={
            f"distinct_{n}": len(seen) / gram_totals[n - 1] if gram_totals[n - 1] else 0.0
            for n, seen in enumerate(grams, start=1)
        },
        tools=manifest.tools,
        self_bleu=self_bleu(sample),
        **{name: _ranked(tally) for name, tally in tallies.items()},
    )


_SCALARS = (
    *("key", "time_signature", "tempo_marking", "licence", "source"),
    *("caption_source", "caption_style", "caption_model", "prompt_version"),
)
_LISTS = ("genre", "mood", "qc_flags")


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _quality(label: str) -> str:
    """``min7`` of ``A:min7/b3``; ``N`` and ``X`` stay."""
    try:
        return parse_chord(label).quality
    except ChordSyntaxError:
        return "(invalid)"


def _ranked(tally: Counter[str]) -> dict[str, int]:
    """The ``TOP`` most frequent, ties by name, and the rest as ``(other)``: bounded whatever users write."""
    order = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
    out = dict(order[:TOP])
    rest = sum(count for _, count in order[TOP:])
    if rest:
        out["(other)"] = rest
    return out

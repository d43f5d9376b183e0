"""One row of a shard from an annotation and its caption: a pure function."""

from collections.abc import Sequence
from typing import Any

from fgmcaps.captioning.checker.statable_terms import unstated_flags
from fgmcaps.schemas import Annotation, Caption, ToolInfo, facts_of, to_dict, to_json


def row_of(
    annotation: Annotation,
    caption: Caption,
    audio: bytes | None,
    audio_path: str | None,
    tools: Sequence[ToolInfo],
    kept: Sequence[str] = (),
) -> dict[str, Any]:
    """The row of one clip, with the keys of ``fgmcaps.schemas.arrow.COLUMNS`` in their order.

    ``audio`` is the encoded clip (policy *embed*), ``audio_path`` its file (policy *path*; with ``audio`` only a
    name). Both None is policy *none*: the column is null. ``tools`` made the labels; they are sorted by name, so that
    the order in which a profile lists them does not change the row. ``kept`` names columns of the user's.

    Raises ValueError when the caption is of another clip: that row would lie.
    """
    clip, labels = annotation.clip, annotation.labels
    track, metadata = clip.track, clip.track.metadata
    if caption.clip_id != clip.clip_id:
        raise ValueError(
            f"row {clip.clip_id}: got the caption of clip {caption.clip_id}; join captions to annotations by clip id"
        )
    return {
        "id": clip.clip_id,
        "audio": None if audio is None and audio_path is None else {"bytes": audio, "path": audio_path},
        "caption": caption.text,
        "caption_style": caption.style,
        "caption_source": caption.source,
        "caption_model": caption.model,
        "prompt_version": caption.prompt_version,
        "captions": [{"style": extra.style, "text": extra.text} for extra in caption.extra],
        "tempo_bpm": labels.tempo_bpm,
        "tempo_marking": facts_of(labels, metadata).tempo_marking,
        "tempo_confidence": labels.tempo_confidence,
        "beats": list(labels.beats),
        "downbeats": list(labels.downbeats),
        "beat_count": labels.beat_count,
        "time_signature": labels.time_signature,
        "meter_confidence": labels.meter_confidence,
        "key": labels.key,
        "key_confidence": labels.key_confidence,
        "chords": [
            {"start": span.start, "end": span.end, "label": span.label, "confidence": span.confidence}
            for span in labels.chords
        ],
        "chord_summary": list(labels.chord_summary),
        "chords_confidence": labels.chords_confidence,
        "genre": list(metadata.genre),
        "mood": list(metadata.mood),
        "title": metadata.title,
        "artist": metadata.artist,
        "album": metadata.album,
        "source": track.source,
        "source_path": track.source_path,
        "track_id": track.track_id,
        "start_s": clip.start_s,
        "duration_s": clip.duration_s,
        "split": track.split,
        "licence": metadata.licence,
        "annotators": [
            {"name": tool.name, "version": tool.version, "licence": tool.licence}
            for tool in sorted(tools, key=lambda tool: (tool.name, tool.version))
        ],
        "qc_flags": list(
            dict.fromkeys((*clip.flags, *labels.qc_flags, *unstated_flags(metadata.genre, metadata.mood)))
        ),
        "fused": None if labels.fused is None else to_dict(labels.fused),
        "raw": [
            {
                "annotator": estimate.annotator,
                "attribute": estimate.attribute,
                "confidence": estimate.confidence,
                "value": to_json(estimate.value),
            }
            for estimate in annotation.estimates
        ],
        **{name: dict(metadata.kept).get(name) for name in kept},
    }

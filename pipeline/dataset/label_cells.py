"""The columns of a row that the confidence filter decides, from labels, and those of its caption: pure functions."""

from collections.abc import Sequence
from typing import Any

from fgmcaps.captioning.checker.statable_terms import unstated_flags, usable_facts
from fgmcaps.schemas import Caption, Labels, TrackMetadata, facts_of, to_dict

NO_FACTS = "caption:no_facts"
"""Flag of a row whose caption states nothing."""


def label_cells(
    labels: Labels, metadata: TrackMetadata, clip_flags: Sequence[str], *, imported: bool = False
) -> dict[str, Any]:
    """Cells by column. ``clip_flags``: what is odd about the audio; ``imported``: the caption is somebody else's."""
    facts = facts_of(labels, metadata)
    silent = (NO_FACTS,) if usable_facts(facts).empty and not imported else ()
    flags = (*clip_flags, *labels.qc_flags, *unstated_flags(metadata.genre, metadata.mood), *silent)
    return {
        "tempo_bpm": labels.tempo_bpm,
        "tempo_marking": facts.tempo_marking,
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
        "qc_flags": list(dict.fromkeys(flags)),
        "fused": None if labels.fused is None else to_dict(labels.fused),
    }


def caption_cells(caption: Caption) -> dict[str, Any]:
    """Cells by column."""
    return {
        "caption": caption.text,
        "caption_style": caption.style,
        "caption_source": caption.source,
        "caption_model": caption.model,
        "prompt_version": caption.prompt_version,
        "captions": [{"style": extra.style, "text": extra.text} for extra in caption.extra],
    }

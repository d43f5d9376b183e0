"""How ``fgmcaps annotate-file`` shows the clips of one file: a table on the terminal, or one JSON document a clip."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fgmcaps.schemas import Annotation, Caption, Labels, facts_of, to_dict

MAX_BEATS = 8


def annotation_view(annotation: Annotation, caption: Caption | None = None) -> RenderableType:
    """A panel: one line an attribute (value, confidence, what each tool said) and the caption below.

    Text from the file's metadata is shown as it is; markup and control characters in it have no effect.
    """
    clip, labels = annotation.clip, annotation.labels
    facts = facts_of(labels, clip.track.metadata)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("attribute", no_wrap=True, style="cyan")
    table.add_column("value", ratio=3)
    table.add_column("confidence", justify="right", no_wrap=True)
    table.add_column("tools said", ratio=3, style="dim")
    reasons = dict(flag.split(":", 1) for flag in labels.qc_flags if ":" in flag)
    tempo = None if facts.tempo_bpm is None else f"{labels.tempo_bpm:.1f} BPM, {facts.tempo_marking}"
    meter = None if labels.time_signature is None else f"{labels.time_signature}, {labels.beat_count} beats in a bar"
    chords = "  ".join(f"{span.label} {span.start:.2f}–{span.end:.2f}" for span in labels.chords) or None
    found = _before_the_filter(labels)
    for name, attribute, value, confidence in (
        ("tempo", "tempo", tempo, labels.tempo_confidence),
        ("meter", None, meter, labels.meter_confidence),
        ("key", "key", labels.key, labels.key_confidence),
        ("chords", "chords", chords, labels.chords_confidence),
        ("beats", "beats", _times(labels.beats), None),
        ("downbeats", None, _times(labels.downbeats), None),
    ):
        reason = reasons.get(name, "unknown").replace("_", " ")
        if value:
            shown = Text(value)
        elif name in reasons:
            shown = Text(f"{found[name]}, withheld: {reason}" if found.get(name) else f"withheld: {reason}", "yellow")
        else:
            shown = Text("none", "yellow")
        table.add_row(
            name, shown, "" if confidence is None else f"{confidence:.2f}", Text(_said(annotation, attribute))
        )
    parts: list[RenderableType] = [table]
    if caption is not None:
        parts += [Text(), Text(caption.text, style="bold")]
    end = clip.start_s + clip.duration_s
    title = Text(f"{clip.track.source_path}  {clip.start_s:g}–{end:g} s")
    return Panel(Group(*parts), title=title, title_align="left", subtitle=clip.clip_id, subtitle_align="right")


def _before_the_filter(labels: Labels) -> dict[str, str]:
    """Values that may have been withheld, by attribute."""
    fused = labels.fused
    if fused is None:
        return {}
    chords = " ".join(dict.fromkeys(span.label for span in fused.chords))
    tempo = "" if fused.tempo_bpm is None else f"{fused.tempo_bpm:.1f} BPM"
    return {"tempo": tempo, "meter": fused.time_signature or "", "key": fused.key or "", "chords": chords}


def annotation_json(annotation: Annotation, caption: Caption | None = None) -> dict[str, Any]:
    """The same as plain JSON data: the annotation with every raw estimate, and the caption (None without one)."""
    return {**to_dict(annotation), "caption": None if caption is None else to_dict(caption)}


def _said(annotation: Annotation, attribute: str | None) -> str:
    """What each tool estimated for an attribute, in short."""
    said: Sequence[str] = [
        f"{estimate.annotator}: {_value(estimate.value)}"
        for estimate in annotation.estimates
        if estimate.attribute == attribute
    ]
    return "; ".join(said)


def _value(value: Any) -> str:
    match value.kind:
        case "tempo":
            return "none" if value.bpm is None else f"{value.bpm:.1f}"
        case "key":
            return value.name or "none"
        case "chords":
            return " ".join(dict.fromkeys(span.label for span in value.spans)) or "none"
        case _:
            return f"{len(value.times)} beats, {len(value.downbeats)} downbeats"


def _times(times: tuple[float, ...]) -> str | None:
    if not times:
        return None
    more = f" … ({len(times)})" if len(times) > MAX_BEATS else ""
    return "  ".join(f"{time:.2f}" for time in times[:MAX_BEATS]) + more

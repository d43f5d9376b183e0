"""What ``fgmcaps annotate-file`` prints of a file: a view for people, or lines for other programs."""

import json
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fgmcaps.common.pace import duration
from fgmcaps.pipeline.formats.jams import jams_of
from fgmcaps.pipeline.labels.annotate_file import AnnotatedClip
from fgmcaps.pipeline.labels.annotate_file_view import annotation_json, annotation_view
from fgmcaps.pipeline.labels.song import Belief, song_of
from fgmcaps.pipeline.labels.song_files import audacity_lines, beat_lines, chord_lines
from fgmcaps.schemas import Annotation, DeadLetter, Fused
from fgmcaps.schemas.music import tempo_marking

WHOLE_FILES = {"audacity": audacity_lines, "lab": chord_lines, "beats": beat_lines}
"""Forms that are made of a whole file."""
FORMS = ("table", "json", "jams", *WHOLE_FILES)


def show(clips: Iterable[AnnotatedClip | DeadLetter], form: str, console: Console) -> list[AnnotatedClip]:
    """Print the clips of one file in a form; returns those that have labels."""
    found: list[AnnotatedClip] = []
    letters: list[DeadLetter] = []
    for item in clips:
        if isinstance(item, AnnotatedClip):
            found.append(item)
        else:
            letters.append(item)
        if form in ("json", "jams"):
            console.out(_line(item, form))
    if form in WHOLE_FILES:
        for line in WHOLE_FILES[form]([clip.annotation for clip in found]):
            console.out(line)
    elif form == "table":
        if len(found) == 1:
            console.print(annotation_view(found[0].annotation, found[0].caption))
        elif found:
            console.print(song_view([clip.annotation for clip in found]))
        for letter in letters:
            console.print(f"not annotated: {letter.message}")
    return found


def _line(item: AnnotatedClip | DeadLetter, form: str) -> str:
    if isinstance(item, DeadLetter):
        return json.dumps({"clip_id": item.clip_id, "refused": f"{item.reason}: {item.message}"}, ensure_ascii=False)
    document = jams_of(item.annotation) if form == "jams" else annotation_json(item.annotation, item.caption)
    return json.dumps(document, ensure_ascii=False)


def song_view(annotations: Sequence[Annotation]) -> RenderableType:
    """A panel: what the song is in one line, where it differs, and a line a clip; doubtful values in brackets."""
    song = song_of(annotations)
    tempo = None if song.tempo is None else f"{song.tempo.value} BPM, {tempo_marking(round(float(song.tempo.value)))}"
    key, meter = (None if belief is None else belief.value for belief in (song.key, song.meter))
    head = [_said(tempo, song.tempo), _said(key, song.key), _said(meter, song.meter)]
    parts: list[RenderableType] = [Text("   ".join(head), style="bold")]
    parts += [Text(f"{_clock(p.start_s)}–{_clock(p.end_s)}: {', '.join(p.differs)}", "yellow") for p in song.parts]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("time", "tempo", "meter", "key", "chords"):
        table.add_column(name, ratio=1 if name == "chords" else None)
    for annotation in annotations:
        table.add_row(*_cells(annotation))
    parts += [Text(), table, Text(), Text("in brackets: withheld by the filter, with its probability", style="dim")]
    track = annotations[0].clip.track
    title = Text(f"{track.source_path}  {duration(song.seconds)}")
    return Panel(Group(*parts), title=title, title_align="left")


def _cells(annotation: Annotation) -> Iterator[str]:
    clip, labels = annotation.clip, annotation.labels
    fused = labels.fused or Fused()
    yield f"{_clock(clip.start_s)}–{_clock(clip.start_s + clip.duration_s)}"
    yield _cell(_bpm(labels.tempo_bpm), _bpm(fused.tempo_bpm), fused.tempo_probability)
    yield _cell(labels.time_signature, fused.time_signature, fused.meter_probability)
    yield _cell(labels.key, fused.key, fused.key_probability)
    doubtful = " ".join(dict.fromkeys(span.label for span in fused.chords))
    yield _cell(" ".join(labels.chord_summary) or None, doubtful, fused.chords_probability)


def _bpm(tempo: float | None) -> str | None:
    return None if tempo is None else f"{tempo:.1f}"


def _cell(kept: str | None, found: str | None, probability: float | None) -> str:
    if kept is not None:
        return kept
    return "-" if not found else f"({found}{'' if probability is None else f' {100 * probability:.0f} %'})"


def _said(value: str | None, belief: Belief | None) -> str:
    return "nothing found" if value is None or belief is None else f"{value} ({100 * belief.share:.0f} %)"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"

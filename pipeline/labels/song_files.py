"""A song's beats and chords in the plain files that other programs read, and the song with clicks on its beats."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from fgmcaps.common.files import write_atomically
from fgmcaps.common.one_line import one_line
from fgmcaps.pipeline.labels.annotate_file import AnnotatedClip
from fgmcaps.pipeline.labels.song import beats_of, chords_of
from fgmcaps.schemas import Annotation

_CLICK_S = 0.03
_BEAT_HZ, _DOWNBEAT_HZ = 1000.0, 1600.0


def beat_lines(annotations: Sequence[Annotation]) -> Iterator[str]:
    """``time<TAB>number`` a beat, counted from 1 in each bar, as madmom and mir_eval read; 0 before the first bar."""
    number = 0
    for time, first in beats_of(annotations):
        number = 1 if first else number + 1 if number else 0
        yield f"{time:.3f}\t{number}"


def chord_lines(annotations: Sequence[Annotation]) -> Iterator[str]:
    """``start<TAB>end<TAB>label`` a chord, Harte labels: the ``.lab`` of MIREX."""
    for span in chords_of(annotations):
        yield f"{span.start:.3f}\t{span.end:.3f}\t{one_line(span.label)}"


def audacity_lines(annotations: Sequence[Annotation]) -> Iterator[str]:
    """Labels for Audacity: a point a beat (``|`` where a bar begins), a stretch a chord, in order of time."""
    points = [(time, time, "|" if first else ".") for time, first in beats_of(annotations)]
    spans = [(span.start, span.end, one_line(span.label)) for span in chords_of(annotations)]
    for start, end, label in sorted([*points, *spans]):
        yield f"{start:.6f}\t{end:.6f}\t{label}"


def with_clicks(
    samples: npt.NDArray[np.float32], sample_rate: int, annotations: Sequence[Annotation], start_s: float = 0.0
) -> npt.NDArray[np.float32]:
    """The song float32[n] with a click on every beat, a higher one where a bar begins; ``start_s``: where it begins."""
    out = samples * np.float32(0.7)
    time = np.arange(round(_CLICK_S * sample_rate)) / sample_rate
    for at, first in beats_of(annotations):
        place = round((at - start_s) * sample_rate)
        if not 0 <= place < len(out):
            continue
        tone = np.sin(2 * np.pi * (_DOWNBEAT_HZ if first else _BEAT_HZ) * time) * np.exp(-time * 150) * 0.3
        end = min(len(out), place + len(tone))
        out[place:end] += tone[: end - place].astype(np.float32)
    return np.clip(out, -1, 1, out=out)


def write_song_with_clicks(path: Path, clips: Sequence[AnnotatedClip]) -> None:
    """Write the clips of a song, one after the other, with clicks: 16-bit WAV, whole or not at all."""
    rate = clips[0].audio.sample_rate
    start = min(clip.annotation.clip.start_s for clip in clips)
    end = max(clip.annotation.clip.start_s + clip.annotation.clip.duration_s for clip in clips)
    samples = np.zeros(round((end - start) * rate) + 1, np.float32)
    for clip in clips:
        place = round((clip.annotation.clip.start_s - start) * rate)
        part = clip.audio.samples[: len(samples) - place]
        samples[place : place + len(part)] = part
    buffer = io.BytesIO()
    clicked = with_clicks(samples, rate, [clip.annotation for clip in clips], start)
    soundfile.write(buffer, clicked, rate, format="WAV", subtype="PCM_16")
    write_atomically(path, buffer.getvalue())

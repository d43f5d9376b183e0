"""Charts to clips on disk: MMA, melody, synthesis, mixing, truth file. One process renders one clip at a time."""

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.truth.chart import CLIP_S, Chart, make_chart
from benchmarks.truth.jams_file import jams_text
from benchmarks.truth.manifest import write_manifest
from benchmarks.truth.melody import add_melody
from benchmarks.truth.mix import apply_mix
from benchmarks.truth.mma import NotAsWrittenError, notes_of, run_mma, set_tempo, sounding_share, to_bytes
from benchmarks.truth.plan import Draw, draw
from benchmarks.truth.soundfonts import SOUNDFONTS, find_soundfont
from benchmarks.truth.synth import SAMPLE_RATE, Synth
from benchmarks.truth.truth import TruthClip, cut_beats, cut_spans
from fgmcaps.schemas.music import KEYS

log = logging.getLogger(__name__)
# Less than this share of the time with root and third played, and the chords are not in the sound.
MIN_SOUNDING = 0.9
_ATTEMPTS = 12


@cache
def _synth(font: str, tools: Path) -> Synth:
    return Synth(find_soundfont(font, tools))


def clip_path(folder: Path, number: int) -> Path:
    """``folder/clips/012/truth-01234.flac``."""
    return folder / "clips" / f"{number // 100:03d}" / f"truth-{number:05d}.flac"


def truth_of(chart: Chart, chosen: Draw, path: Path, sandbox: dict[str, object]) -> tuple[TruthClip, list[int]]:
    """The truth of a clip cut from a chart, and its beats' numbers in their bars."""
    style, end = chart.style, chart.start_s + CLIP_S
    times, positions = cut_beats(chart.bar_starts, style.beats, chart.start_s, end)
    marks = ("compound_4/4",) if style.compound and style.meter == "4/4" else ()
    clip = TruthClip(
        path=path,
        split=chosen.split,
        family=style.family,
        style=style.groove,
        library=style.library,
        tempo_bpm=round(chart.bpm * style.felt_per_mma, 4),
        beats=tuple(times),
        downbeats=tuple(t for t, p in zip(times, positions, strict=True) if p == 1),
        meter=style.meter,
        beats_per_bar=style.beats,
        key=chart.key,
        chords=cut_spans(chart.spans, chart.start_s, end),
        marks=marks,
        sandbox=sandbox,
        duration_s=CLIP_S,
    )
    return clip, positions


def render_clip(folder: Path, seed: int, splits: tuple[str, ...], fonts: tuple[str, ...] | None, number: int) -> str:
    """Renders clip ``number`` unless it exists; returns ``made``, ``kept``, or why no attempt was accepted."""
    path = clip_path(folder, number)
    if path.with_suffix(".jams").exists() and path.exists():
        return "kept"
    reason = ""
    for attempt in range(_ATTEMPTS):
        chosen = draw(seed, number, attempt, splits, fonts)
        try:
            _render(folder, path, chosen, seed)
            return "made"
        except NotAsWrittenError as error:
            reason = f"clip {number}, {chosen.style.groove}: {error}"
            log.info("%s", reason)
    return reason


def _render(folder: Path, path: Path, chosen: Draw, seed: int) -> None:
    chart = make_chart(chosen.rng, chosen.style, chosen.key)
    midi = run_mma(chart.text)
    tempo = set_tempo(midi, chart.bpm)
    notes = notes_of(midi, tempo / 1e6 / midi.ticks_per_beat)
    share = sounding_share(notes, chart)
    if share < MIN_SOUNDING:
        raise NotAsWrittenError(f"root and third are played {share:.0%} of the time")
    program = add_melody(chosen.rng, midi, chart, KEYS.index(chart.key) % 12) if chosen.melody else None
    mix = chosen.mix
    synth = _synth(chosen.soundfont, folder / ".tools")
    sound = synth.render(to_bytes(midi), chart.seconds, mix.reverb_room, mix.reverb_level)
    start = round(chart.start_s * SAMPLE_RATE)
    clip = apply_mix(sound, mix, start, round(CLIP_S * SAMPLE_RATE))
    sandbox: dict[str, object] = {
        "seed": seed,
        "number": chosen.number,
        "attempt": chosen.attempt,
        "soundfont": chosen.soundfont,
        "licence": SOUNDFONTS[chosen.soundfont].licence,
        "mma_bpm": chart.bpm,
        "mma_beats_per_bar": chart.style.mma_beats,
        "start_s": chart.start_s,
        "melody_program": program,
        "sounding_share": round(share, 3),
        "mix": mix.record(),
    }
    truth, positions = truth_of(chart, chosen, path, sandbox)
    write_clip(path, clip, jams_text(truth, positions))


def write_clip(path: Path, clip: np.ndarray, jams: str) -> None:
    """Audio first, truth last, each renamed into place: a clip with a truth file is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.flac")
    soundfile.write(part, clip, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    part.replace(path)
    text = path.with_suffix(".part.jams")
    text.write_text(jams, encoding="utf-8")
    text.replace(path.with_suffix(".jams"))


def render_corpus(
    folder: Path,
    clips: int,
    seed: int,
    workers: int,
    splits: tuple[str, ...],
    fonts: tuple[str, ...] | None = None,
) -> dict[str, int]:
    """Renders clips 0 .. ``clips`` - 1, those that exist left as they are; returns how many were made, kept, refused.

    The manifest is rewritten every 100 clips and at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"made": 0, "kept": 0, "refused": 0}
    job = partial(render_clip, folder, seed, splits, fonts)
    context = multiprocessing.get_context("spawn")  # forking a process that has threads may hang
    with ProcessPoolExecutor(workers, context) as pool:
        numbers = iter(range(clips))
        while batch := list(islice(numbers, 100)):
            for result in pool.map(job, batch, chunksize=5):
                counts[result if result in counts else "refused"] += 1
                if result not in counts:
                    log.warning("%s", result)
            total = write_manifest(folder)
            log.info("%d clips in the manifest: %s", total, counts)
    write_manifest(folder)
    return counts

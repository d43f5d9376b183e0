"""The negative set: clips whose right answer is null for some or all labels, and clips that are hard.

A clip's ``marks`` name its kind, and ``null:tempo``, ``null:meter``, ``null:downbeats``, ``null:key``, ``null:chords``
what must come out as null (or with a low probability). Where a label has a right answer it is in the truth file;
``no_percussion`` has them all.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np

from benchmarks.truth import alter, no_music
from benchmarks.truth.chart import CLIP_S, Chart, make_chart
from benchmarks.truth.harmony import Chord
from benchmarks.truth.jams_file import jams_text
from benchmarks.truth.manifest import write_manifest
from benchmarks.truth.mix import apply_mix
from benchmarks.truth.mma import NotAsWrittenError, notes_of, run_mma, set_tempo, sounding_share, to_bytes
from benchmarks.truth.plan import Draw, draw
from benchmarks.truth.render import MIN_SOUNDING, truth_of, write_clip
from benchmarks.truth.soundfonts import SOUNDFONTS, find_soundfont
from benchmarks.truth.synth import SAMPLE_RATE, Synth
from benchmarks.truth.truth import TruthClip, cut_beats, cut_spans

_ALL = ("null:tempo", "null:meter", "null:downbeats", "null:key", "null:chords")
_FONTS = ("TimGM6mb", "FluidR3", "CsoundGM")
NO_MUSIC = ("silence", "white_noise", "pink_noise", "clicks", "hum", "sweep", "random_notes", "speech")
ALTERED: dict[str, tuple[str, ...]] = {
    "drums_only": ("null:key", "null:chords"),
    "atonal": ("null:key", "null:chords"),
    "tempo_change": ("null:tempo",),
    "modulating": ("null:key",),
    "no_percussion": (),
    "short": ("null:meter", "null:downbeats"),
}


def write_negatives(folder: Path, per_kind: int, seed: int) -> dict[str, int]:
    """Writes ``per_kind`` clips of each kind that do not exist yet, and the manifest; returns clips by kind."""
    synths: dict[str, Synth] = {}

    def synth(font: str) -> Synth:
        if font not in synths:
            synths[font] = Synth(find_soundfont(font, folder / ".tools"))
        return synths[font]

    counts = {}
    for index, kind in enumerate((*NO_MUSIC, *ALTERED)):
        for number in range(per_kind):
            path = folder / "clips" / kind / f"{kind}-{number:03d}.flac"
            if path.exists() and path.with_suffix(".jams").exists():
                continue
            if kind in NO_MUSIC:
                _write_no_music(path, kind, np.random.default_rng([seed, index, number]), folder / ".tools")
            else:
                _write_altered(path, kind, seed * 1000 + index, number, synth)
        counts[kind] = len(list((folder / "clips" / kind).glob("*.jams")))
    write_manifest(folder)
    return counts


def _write_no_music(path: Path, kind: str, rng: np.random.Generator, tools: Path) -> None:
    count = round(CLIP_S * SAMPLE_RATE)
    if kind == "speech":
        sound = no_music.speech(rng, count, tools)
    elif kind.endswith("_noise"):
        sound = no_music.coloured_noise(rng, count, kind.removesuffix("_noise"))
    else:
        sound = getattr(no_music, kind)(rng, count)
    clip = TruthClip(
        *(path, "test", kind, kind, "negative", None, (), (), None, None, None, (), (kind, *_ALL)),
        sandbox={"licence": "CC0-1.0"},
        duration_s=CLIP_S,
    )
    write_clip(path, sound, jams_text(clip, []))


def _write_altered(path: Path, kind: str, seed: int, number: int, synth: Callable[[str], Synth]) -> None:
    for attempt in range(50):
        chosen = draw(seed, number + 1000 * attempt, 0, _splits(number), _FONTS)  # another number: another meter too
        chart = make_chart(chosen.rng, chosen.style, chosen.key)
        try:
            midi = run_mma(chart.text)
            tempo = set_tempo(midi, chart.bpm)
            if sounding_share(notes_of(midi, tempo / 1e6 / midi.ticks_per_beat), chart) < MIN_SOUNDING:
                continue
            _write_one(path, kind, chosen, chart, midi, synth)
        except NotAsWrittenError:
            continue
        return
    raise RuntimeError(f"{path.name}: 50 pieces in a row do not play as written: is another version of mma installed?")


def _splits(number: int) -> tuple[str, ...]:
    """Whose styles clip ``number`` plays: even ones are fitted on, odd ones judged (``benchmarks.labels.corpus``)."""
    return ("test",) if number % 2 else ("train",)


def _write_one(
    path: Path, kind: str, chosen: Draw, chart: Chart, midi: mido.MidiFile, synth: Callable[[str], Synth]
) -> None:
    """One altered clip and its truth. Raises NotAsWrittenError where the piece has nothing to alter."""
    sandbox: dict[str, object] = {
        "soundfont": chosen.soundfont,
        "licence": SOUNDFONTS[chosen.soundfont].licence,
        "mma_bpm": chart.bpm,
        "mma_beats_per_bar": chart.style.mma_beats,
        "mix": chosen.mix.record(),
    }
    clip, positions = truth_of(chart, chosen, path, sandbox)
    clip = replace(clip, family=kind, library="negative", marks=(kind, *ALTERED[kind]))
    seconds = CLIP_S
    ticks = midi.ticks_per_beat
    middle_bar = next(i for i, t in enumerate(chart.bar_starts) if t > chart.start_s + CLIP_S * 0.4)
    middle_beat = middle_bar * chart.style.mma_beats / chart.style.bars
    rng = chosen.rng
    if kind in ("drums_only", "no_percussion"):
        if not any(m.type == "note_on" and m.channel == 9 for track in midi.tracks for m in track):
            raise NotAsWrittenError("no drums in the piece")
        midi = alter.only_drums(midi) if kind == "drums_only" else alter.without_drums(midi)
    if kind == "atonal":
        midi = alter.atonal(midi, rng)
    if kind in ("drums_only", "atonal"):
        clip = replace(clip, key=None, chords=())
    if kind == "modulating":
        shift = int(rng.choice([-4, -3, -1, 1, 3, 4, 6]))
        midi = alter.transposed_from(midi, round(middle_beat * ticks), shift)
        clip = replace(clip, key=None, chords=cut_spans(_transposed(chart, middle_beat, shift).spans, *_window(chart)))
        sandbox |= {"modulates_at_s": chart.bar_starts[middle_bar] - chart.start_s, "semitones": shift}
    if kind == "tempo_change":
        factor = float(rng.choice([0.8, 0.85, 1.15, 1.25, 1.4]))
        midi = alter.with_tempo_change(midi, round(middle_beat * ticks), round(60e6 / (chart.bpm * factor)))
        clip, positions = _after_tempo_change(clip, chart, middle_bar, factor)
        sandbox |= {"tempo_changes_at_s": chart.bar_starts[middle_bar] - chart.start_s, "factor": factor}
    if kind == "short":
        bar = chart.bar_starts[1]
        if 1.95 * bar < 3.2:
            raise NotAsWrittenError("two bars last less than the 3 s that a clip must have")
        seconds = round(float(rng.uniform(3.1, 1.95 * bar)), 3)
        clip, positions = _shortened(clip, positions, seconds)
    sound = synth(chosen.soundfont).render(
        to_bytes(midi), chart.seconds + 4, chosen.mix.reverb_room, chosen.mix.reverb_level
    )
    samples = apply_mix(sound, chosen.mix, round(chart.start_s * SAMPLE_RATE), round(seconds * SAMPLE_RATE))
    write_clip(path, samples, jams_text(replace(clip, sandbox=sandbox), positions))


def _window(chart: Chart) -> tuple[float, float]:
    return chart.start_s, chart.start_s + CLIP_S


def _transposed(chart: Chart, beat: float, semitones: int) -> Chart:
    """The chart with its chords from ``beat`` on moved; a chord that sounds across ``beat`` is cut there."""
    moved: list[tuple[float, float, Chord]] = []
    for start, end, chord in chart.chords:
        if start < beat:
            moved.append((start, min(end, beat), chord))
        if end > beat:
            moved.append((max(start, beat), end, replace(chord, root=(chord.root + semitones) % 12)))
    return replace(chart, chords=tuple(moved))


def _after_tempo_change(clip: TruthClip, chart: Chart, bar: int, factor: float) -> tuple[TruthClip, list[int]]:
    """Beats and chords where the tempo is ``factor`` times as high from written bar ``bar`` on; no one tempo."""
    turn = chart.bar_starts[bar]

    def warp(time: float) -> float:
        return time if time <= turn else turn + (time - turn) / factor

    bars = [warp(time) for time in chart.bar_starts]
    times, positions = cut_beats(bars, chart.style.beats, *_window(chart))
    spans = [(warp(a), warp(b), label) for a, b, label in chart.spans]
    downbeats = tuple(t for t, p in zip(times, positions, strict=True) if p == 1)
    chords = cut_spans(spans, *_window(chart))
    if bars[-1] < chart.start_s + CLIP_S:
        raise NotAsWrittenError("the faster piece ends inside the clip")
    return replace(clip, tempo_bpm=None, beats=tuple(times), downbeats=downbeats, chords=chords), positions


def _shortened(clip: TruthClip, positions: list[int], seconds: float) -> tuple[TruthClip, list[int]]:
    """The first ``seconds`` of a clip; its meter is no longer there to be heard."""
    beats = tuple(t for t in clip.beats if t < seconds)
    chords = cut_spans([(c.start, c.end, c.label) for c in clip.chords], 0.0, seconds)
    downbeats = tuple(t for t in clip.downbeats if t < seconds)
    short = replace(clip, beats=beats, downbeats=downbeats, chords=chords, meter=None, beats_per_bar=None)
    return replace(short, duration_s=seconds), positions[: len(beats)]

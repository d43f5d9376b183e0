"""Grooves made here: for meters that MMA's library has few styles of, and harmony for its drum patterns.

A made style is a number: meter and number fix its patterns and instruments, so it can be named and rendered again.
"""

from functools import cache

import numpy as np

from benchmarks.truth.styles import Style

MADE_METERS = ("2/4", "3/4", "5/4", "6/8")
STYLES_PER_METER = 60
_TICKS = 192  # MMA's ticks a quarter, which is what its files call a beat
# General MIDI instruments by MMA's names, those that carry chords and those that carry a bass.
_CHORD_VOICES = (
    "Piano1",
    "Piano2",
    "RhodesPiano",
    "EPiano",
    "NylonGuitar",
    "SteelGuitar",
    "JazzGuitar",
    "CleanGuitar",
    "Organ1",
    "Organ3",
    "Accordion",
    "Strings",
    "SlowStrings",
    "ChoirAahs",
    "BrassSection",
    "Vibraphone",
    "Marimba",
    "OrchestralHarp",
    "PizzicatoString",
    "SynthStrings1",
    "Clavinet",
    "Bandoneon",
)
_BASS_VOICES = (
    "AcousticBass",
    "FingeredBass",
    "PickedBass",
    "FretlessBass",
    "SynthBass1",
    "SynthBass2",
    "Tuba",
)


@cache
def made_styles() -> tuple[Style, ...]:
    """STYLES_PER_METER made styles of each meter, each a family of its own."""
    return tuple(_made_style(meter, number) for meter in MADE_METERS for number in range(STYLES_PER_METER))


def _made_style(meter: str, number: int) -> Style:
    beats = int(meter[0]) if meter != "6/8" else 2
    mma_beats = 6 if meter == "6/8" else beats
    rng = np.random.default_rng([8128, MADE_METERS.index(meter), number])
    centre = float(rng.uniform(*{"2/4": (80, 130), "3/4": (85, 165), "5/4": (95, 170), "6/8": (150, 330)}[meter]))
    name = f"made {meter} {number}"
    return Style("made", name, name, name, meter, mma_beats, beats, 1, (centre * 0.87, centre * 1.15), 2)


def groove_text(style: Style) -> str:
    """The MMA text that plays a made style: meter, drums, then ``harmony_text``."""
    number = int(style.family.split()[-1])
    rng = np.random.default_rng([496, MADE_METERS.index(style.meter), number])
    lines = ["SeqClear", f"Time {style.mma_beats}", f"TimeSig {style.meter.replace('/', ' ')}", "SeqSize 2"]
    for track, tone, bars in _drums(rng, style):
        lines += [f"Begin Drum-{track}", f"Tone {tone}", "Rvolume 8", "Rtime 2", f"Sequence {' '.join(bars)}", "End"]
    return "\n".join([*lines, harmony_text(rng, style)])


def _hits(places: list[float], rng: np.random.Generator, loud: int) -> str:
    return "{" + "; ".join(f"{1 + p:.4g} 0 {loud - int(rng.integers(0, 12))}" for p in sorted(set(places))) + "}"


def _drums(rng: np.random.Generator, style: Style) -> list[tuple[str, str, list[str]]]:
    """Kick, snare and cymbal patterns of two bars: the kick on the first beat, the snare on the weak ones."""
    step = style.mma_beats / style.beats  # MMA beats in a felt beat
    groups = {"5/4": [0, 3] if rng.random() < 0.6 else [0, 2]}.get(style.meter, [0])
    weak = [b for b in range(style.beats) if b not in groups]
    if style.meter in ("3/4", "5/4") and rng.random() < 0.5:
        weak = [g + 1 for g in groups] if rng.random() < 0.5 else [max(b for b in weak if b >= 1)]
    offs = [1 / 3, 2 / 3] if style.meter == "6/8" else [0.5 if rng.random() < 0.8 else 2 / 3]
    extra = [b + o for b in range(style.beats) for o in offs if rng.random() < 0.18]
    kick, snare, cymbal = [], [], []
    busy = rng.random() < 0.75
    for bar in range(2):
        kick.append(
            _hits([g * step for g in groups] + [e * step for e in extra if bar or rng.random() < 0.5], rng, 110)
        )
        ghosts = [(style.beats - 1 + offs[-1]) * step] if bar and rng.random() < 0.4 else []
        snare.append(_hits([w * step for w in weak] + ghosts, rng, 100))
        cymbal.append(
            _hits([(b + o) * step for b in range(style.beats) for o in ([0.0, *offs] if busy else [0.0])], rng, 80)
        )
    tones = (
        str(rng.choice(["KickDrum1", "KickDrum2", "LowTom2"])),
        str(rng.choice(["SnareDrum1", "SnareDrum2", "SideKick", "HandClap", "Tambourine"])),
        str(rng.choice(["ClosedHiHat", "RideCymbal1", "Maracas", "Shaker", "PedalHiHat"])),
    )
    tracks = list(zip(("Kick", "Snare", "Cymbal"), tones, (kick, snare, cymbal), strict=True))
    keep = rng.random()
    return tracks if keep < 0.75 else tracks[:2] if keep < 0.85 else tracks[2:] if keep < 0.93 else []


def harmony_text(rng: np.random.Generator, style: Style) -> str:
    """MMA text of a bass and one or two chord tracks that fit the meter; chords may change in the middle of a bar."""
    step = style.mma_beats / style.beats
    middle = {5: 3 * step, 4: 2 * step, 2: step}.get(style.beats)
    beats = [b * step for b in range(style.beats)]
    anchors = [0.0] + ([middle] if middle is not None else [])
    kind = str(rng.choice(["anchors", "root-fifth", "beats"], p=[0.35, 0.4, 0.25]))
    bass = anchors if kind != "beats" else beats
    offsets = ["5" if kind == "root-fifth" and i % 2 else "1" for i in range(len(bass))]
    if style.meter == "3/4" and kind == "root-fifth":
        bass, offsets = [0.0, 2 * step], ["1", "5"]
    text = ["Begin Bass", f"Voice {rng.choice(_BASS_VOICES)}", "Octave 3", "Rvolume 8", "Rtime 2", "Articulate 85"]
    text += [f"Sequence {{{_notes(bass, style.mma_beats, [f'{o} 95' for o in offsets])}}}", "End"]
    comp = str(rng.choice(["held", "beats", "afterbeats", "divided"], p=[0.3, 0.25, 0.25, 0.2]))
    divided = 3 if style.meter == "6/8" else 2
    afterbeats = beats[1:] if style.beats > 2 else [b + step * (divided - 1) / divided for b in beats]
    places = {
        "held": anchors,
        "beats": beats,
        "afterbeats": afterbeats,
        "divided": [b + step * d / divided for b in beats for d in range(divided)],
    }[comp]
    text += _chord_track(
        "Comp", rng, _notes(places, style.mma_beats, ["85"] * len(places)), 60 if comp != "held" else 95
    )
    if comp != "held" and rng.random() < 0.5:
        text += _chord_track("Pad", rng, _notes(anchors, style.mma_beats, ["60"] * len(anchors)), 98)
    return "\n".join(text)


def _chord_track(name: str, rng: np.random.Generator, notes: str, articulate: int) -> list[str]:
    voicing = "Voicing Mode=Optimal" if rng.random() < 0.6 else "Voicing Mode=None"
    head = [f"Begin Chord-{name}", f"Voice {rng.choice(_CHORD_VOICES)}", f"Octave {rng.choice([5, 5, 4])}", voicing]
    return [*head, "Rvolume 8", "Rtime 2", f"Articulate {articulate}", f"Sequence {{{notes}}}", "End"]


def _notes(places: list[float], bar: float, values: list[str]) -> str:
    """``place duration value`` triples of a bar; each note lasts to the next, the last to the bar's end."""
    ends = [*places[1:], bar]
    return "; ".join(
        f"{1 + p:.4g} {round((e - p) * _TICKS)}t {v}" for p, e, v in zip(places, ends, values, strict=True)
    )

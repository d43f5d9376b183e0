"""Every meter that a row may have survives MusicBench and JAMS: signature, number of beats, beats, downbeats, tempo."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.pipeline.formats.jams import jams_text, truth_of_window
from fgmcaps.pipeline.formats.musicbench import TOOL, musicbench_row
from fgmcaps.pipeline.formats.shared.given_labels import given_labels
from fgmcaps.pipeline.validation.row_rules import row_problems
from fgmcaps.schemas import Annotation, Clip, Labels, facts_of
from fgmcaps.schemas.ids import make_clip_id
from fgmcaps.schemas.meter import METERS
from tests.factories import TOOLS, make_track

SECONDS = 10.0


@st.composite
def labels_of(draw, signature):
    """Beats at a nearly steady tempo with at least one whole bar and the next downbeat, begun anywhere in a bar."""
    meter = METERS[signature]
    slowest = (2 * meter.felt + 1) * 60 / SECONDS
    bpm = draw(st.floats(max(40.0, slowest), 240.0))
    first = draw(st.floats(0.0, 60 / bpm / 2))
    wobble = draw(st.lists(st.floats(-0.004, 0.004), min_size=50, max_size=50))
    beats = tuple(
        round(time, 4)
        for i, extra in enumerate(wobble)
        if (time := first + i * 60 / bpm + max(0.0, extra)) < SECONDS - 0.01
    )
    pickup = draw(st.integers(0, meter.felt - 1))
    tempo = draw(st.none() | st.just(bpm))
    return Labels(
        tempo_bpm=tempo,
        beats=beats,
        downbeats=beats[pickup :: meter.felt],
        beat_count=meter.felt,
        time_signature=signature,
        qc_flags=(*(() if tempo else ("tempo:low",)), "key:low", "chords:low"),
    )


def row_with(labels):
    track = make_track(1)
    clip = Clip(make_clip_id(track.track_id, 0), 0.0, SECONDS, track)
    caption = write_caption(TemplateEngine(seed=0), clip.clip_id, facts_of(labels, track.metadata))
    return row_of(Annotation(clip, labels, ()), caption, None, None, TOOLS)


CASES = st.sampled_from(sorted(METERS)).flatmap(labels_of)


@given(CASES)
def test_musicbench(labels):
    row = row_with(labels)
    assert list(row_problems(row)) == []
    there = json.loads(json.dumps(musicbench_row(row, "data/x.wav")))
    assert max(there["beats"][1]) == METERS[labels.time_signature].written
    assert all(b > a for a, b in zip(there["beats"][0], there["beats"][0][1:], strict=False))
    back, _ = given_labels(there, SECONDS, TOOL)
    assert (back.time_signature, back.beat_count) == (labels.time_signature, labels.beat_count)
    assert (back.beats, back.downbeats) == (labels.beats, labels.downbeats)
    assert back.tempo_bpm == (labels.tempo_bpm and pytest.approx(labels.tempo_bpm))


@given(CASES, st.booleans())
def test_jams(labels, with_sandbox):
    document = json.loads(jams_text(row_with(labels)))
    if not with_sandbox:
        document["sandbox"] = {}
    truth = truth_of_window(document, 0.0, SECONDS)
    assert truth.time_signature == labels.time_signature
    assert (truth.beats, truth.downbeats) == (labels.beats, labels.downbeats)
    if labels.tempo_bpm:
        assert truth.tempo_bpm == labels.tempo_bpm


@given(st.sampled_from([m.signature for m in METERS.values() if m.division > 1]).flatmap(labels_of), st.booleans())
def test_jams_of_others_that_lists_every_written_beat(labels, states_the_meter):
    """As MusicBench numbers them; the felt beats are what labels are compared with."""
    times, numbers = musicbench_row(row_with(labels), "x")["beats"]
    beats = [{"time": t, "duration": 0.0, "value": n, "confidence": None} for t, n in zip(times, numbers, strict=True)]
    sandbox = {"time_signature": labels.time_signature} if states_the_meter else {}
    document = {"annotations": [{"namespace": "beat", "data": beats}], "sandbox": sandbox}
    truth = truth_of_window(document, 0.0, SECONDS)
    assert truth.time_signature == labels.time_signature
    assert (truth.beats, truth.downbeats) == (labels.beats, labels.downbeats)

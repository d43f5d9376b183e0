"""Profiles: what they name, what they refuse, and that a fingerprint moves with everything that moves a label."""

import pickle
import subprocess
import sys

import pytest

from fgmcaps.annotators import ProfileError, load_profile
from fgmcaps.annotators.fusion import FUSION_VERSION
from fgmcaps.annotators.settings import merged

STAGES = ("beats", "key", "chords")


@pytest.mark.parametrize("name", ["best", "permissive"])
def test_stages_name_unloaded_annotators_of_their_attribute(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert tuple(stage for stage, _ in profile.stages) == STAGES
    for stage, annotators in profile.stages:
        assert annotators
        for annotator in annotators:
            assert annotator.attribute in {"beats": ("beats", "tempo"), "key": ("key",), "chords": ("chords",)}[stage]
            assert annotator._model is None
    assert [t.name for t in profile.tools] == [a.info.name for a in profile.annotators]
    assert profile.missing() == ()


def test_the_permissive_profile_has_no_restrictive_licence() -> None:
    for tool in load_profile("permissive").tools:
        assert "NC" not in tool.licence
        assert "GPL" not in tool.licence


def test_the_paper_profile_is_the_published_recipe() -> None:
    settings = load_profile("paper").settings
    tools = [
        spec.tool for stage in (settings.stages.beats, settings.stages.key, settings.stages.chords) for spec in stage
    ]
    assert tools == ["beatnet", "essentia_key", "omnizart"]
    assert settings.fusion.recipe == "paper"
    assert settings.fusion.key.min_confidence == 0.5


def test_only_omnizart_may_be_missing_from_the_paper_profile() -> None:
    profile = load_profile("paper")
    assert [tool.name for tool in profile.tools] == ["beatnet", "essentia_key_edma", "omnizart"]
    for sentence in profile.missing():
        assert sentence.startswith("omnizart: ")
        assert "run `" in sentence


@pytest.mark.slow
def test_reading_a_profile_imports_no_tool() -> None:
    code = (
        "import sys; from fgmcaps.annotators import load_profile; load_profile('best').fingerprint; "
        "print([m for m in ('torch', 'librosa', 'madmom', 'essentia', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_profile_survives_pickling_small() -> None:
    profile = load_profile("best")
    before = profile.fingerprint
    data = pickle.dumps(profile)
    assert len(data) < 10_000
    clone = pickle.loads(data)
    assert clone == profile
    assert clone.fingerprint == before
    assert clone.stages == profile.stages


def test_fingerprints_are_stable_and_tell_profiles_apart() -> None:
    best = load_profile("best")
    assert best.fingerprint == load_profile("best").fingerprint
    assert len(best.fingerprint) == 64
    assert best.fingerprint != load_profile("permissive").fingerprint


@pytest.mark.parametrize(
    "overrides",
    [
        {"fusion": {"tempo": {"precision": 0.9}}},
        {"fusion.key.min_confidence": 0.61},
        {"gate.min_seconds": 5.0},
        {"stages.key": [{"tool": "essentia_key", "options": {"profile": "shaath"}}], "fusion.recipe": "paper"},
    ],
)
def test_every_setting_moves_the_fingerprint(overrides: dict[str, object]) -> None:
    best = load_profile("best")
    changed = best.with_overrides(overrides)
    assert changed.fingerprint != best.fingerprint
    assert changed.with_overrides({}).fingerprint == changed.fingerprint


def test_a_tool_version_and_the_fusion_version_move_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_profile("permissive").fingerprint
    monkeypatch.setattr("fgmcaps.annotators.tools.beatnet.installed_version", lambda name: "9.9.9")
    assert load_profile("permissive").fingerprint != before
    monkeypatch.undo()
    monkeypatch.setattr("fgmcaps.annotators.profile.FUSION_VERSION", FUSION_VERSION + "x")
    assert load_profile("permissive").fingerprint != before


def test_dotted_and_nested_overrides_are_one() -> None:
    best = load_profile("best")
    dotted = best.with_overrides({"fusion.key.precision": 0.8})
    assert dotted == best.with_overrides({"fusion": {"key": {"precision": 0.8}}})
    assert dotted.fusion.key.precision == 0.8
    assert dotted.fusion.key.min_confidence == best.fusion.key.min_confidence
    assert best.fusion.key.precision == 0.9
    assert best.fusion.tempo.precision == 0.95


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"fusoin": {}}, "did you mean 'fusion'"),
        ({"fusion.key.min_confidense": 0.5}, "did you mean 'min_confidence'"),
        ({"gate": {"min_second": 1}}, "did you mean 'min_seconds'"),
        ({"fusion.key.min_confidence": 1.5}, "fusion.key.min_confidence: .*less than or equal to 1"),
        ({"fusion.recipe": "papre"}, "fusion.recipe: .*'calibrated' or 'paper'"),
        ({"fusion.tempo.doubt": 0.4}, "unknown setting 'fusion.tempo.doubt'"),
        ({"stages.beats": [{"tool": "beatnet", "option": {}}]}, "did you mean 'options'"),
    ],
)
def test_a_wrong_override_names_the_key_and_the_nearest(overrides: dict[str, object], says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        load_profile("best").with_overrides(overrides)


def test_an_override_with_an_unknown_tool_fails_at_once() -> None:
    with pytest.raises(ValueError, match="did you mean 'beatnet'"):
        load_profile("best").with_overrides({"stages.beats": [{"tool": "beetnet"}]})


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(ProfileError, match="did you mean 'paper'"):
        load_profile("papr")
    with pytest.raises(ProfileError, match="unknown profile"):
        load_profile("../best")


def test_merging_leaves_its_inputs_alone() -> None:
    base = {"a": {"b": 1, "c": 2}}
    assert merged(base, {"a.b": 3}) == {"a": {"b": 3, "c": 2}}
    assert base == {"a": {"b": 1, "c": 2}}


@pytest.mark.parametrize("name", ["zzz", "", "q" * 10_000])
def test_a_name_that_is_near_to_nothing_gets_no_suggestion(name):
    with pytest.raises(ProfileError, match="known: best, ") as caught:
        load_profile(name)
    assert "did you mean" not in str(caught.value)
    with pytest.raises(ProfileError, match="known here: ") as caught:
        load_profile("best").with_overrides({name or "zz": 1})
    assert "did you mean" not in str(caught.value)

"""Curves from a user's own truth: fitted, written, read, and used by every command that takes them."""

import dataclasses
import json
import random
from dataclasses import replace

import pytest
from click.testing import CliRunner

from fgmcaps.annotators import load_profile
from fgmcaps.annotators.evaluation import unfiltered
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.cli import main
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.labels import calibrate as module
from fgmcaps.pipeline.labels.annotated_truth import AnnotatedTruth
from fgmcaps.pipeline.labels.calibrate import (
    calibrate,
    calibration_lines,
    meters_of,
    read_calibration,
    write_calibration,
    write_meters,
)
from fgmcaps.pipeline.labels.evaluate import ClipEstimates
from fgmcaps.pipeline.labels.refilter import refilter
from fgmcaps.pipeline.labels.use_calibration import with_calibration, with_file
from fgmcaps.pipeline.validation.validate import validate
from fgmcaps.schemas import Estimate, Fused, Key, Labels, NamedAlternative
from fgmcaps.schemas.truth import ClipTruth
from tests.pipeline.labels.test_refilter import built, rows_of

PROFILE = load_profile("best")


@pytest.fixture
def overconfident(monkeypatch):
    """80 tracks whose key is stated at .9 and right in half of them; tempo is stated at .9 and right in .9."""
    rng = random.Random(0)
    pairs, found = [], {}
    for number in range(80):
        name = f"track {number}"
        key = "C major" if rng.random() < 0.5 else "G major"
        tempo = 100.0 if rng.random() < 0.9 else 50.0
        found[name] = Fused(key="C major", key_probability=0.9, tempo_bpm=100.0, tempo_probability=0.9)
        estimate = Estimate(name, "1", "key", Key("C major"))
        pairs.append(
            (
                ClipEstimates(name, 0.0, 10.0, (estimate,)),
                ClipTruth(key=key, tempo_bpm=tempo, group="all of one artist"),
            )
        )

    def fuse(estimates, settings):
        fused = found[estimates[0].annotator]
        return Labels(key=fused.key, tempo_bpm=fused.tempo_bpm, fused=fused)

    monkeypatch.setattr(module, "fuse", fuse)
    return pairs


@pytest.fixture
def file(overconfident, tmp_path):
    write_calibration(tmp_path / "mine.json", calibrate(overconfident, PROFILE), PROFILE)
    return tmp_path / "mine.json"


def test_what_is_wrong_is_found_and_what_is_right_is_left_alone(overconfident):
    found = calibrate(overconfident, PROFILE)
    assert set(found.curves) == {"key", "tempo"} and set(found.used) == {"key"}
    key = found.curves["key"]
    assert (key.clips, key.groups, key.stated) == (80, 80, pytest.approx(0.9))
    assert key.right == pytest.approx(0.5, abs=0.12) and key.loss_after < key.loss_before - 0.2
    lines = {line[0]: line for line in calibration_lines(found)}
    assert lines["key"][-1] == "used" and lines["tempo"][-1] == "no better: left out"


def test_few_labels_and_refused_clips_make_no_curve(overconfident):
    found = calibrate([*overconfident[:5], (ClipEstimates("x", 0, 10, refused="silence"), ClipTruth())], PROFILE)
    assert found.used == {} and found.curves["key"].clips == 5
    with pytest.raises(FgmcapsError, match="gives no probabilities"):
        calibrate(overconfident, load_profile("paper"))


def test_the_file_comes_back(file):
    curves = read_calibration(file, "best").curves
    assert set(curves) == {"key"} and curves["key"].intercept < -0.5
    data = json.loads(file.read_text())
    assert data["fits"]["tempo"]["used"] is False and data["fits"]["key"]["clips"] == 80


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Invalid JSON"),
        ("[]", "calibration"),
        ('{"format": "x", "model": "y", "attributes": {}}', "format 'x'"),
        ('{"format": "fgmcaps-calibration/1", "model": "y", "attributes": {}}', "of another fusion model"),
        ('{"format": "fgmcaps-calibration/1", "model": "y", "attributes": {"kye": {}}}', "attributes.kye"),
        (
            '{"format": "fgmcaps-calibration/1", "model": "y", "attributes": {"key": {"slope": 1e9}}}',
            "less than or equal",
        ),
        ("[" * 100_000, "calibration"),
        (" " * 2_000_000, "more than"),
    ],
)
def test_what_is_no_calibration_is_said_in_one_line(tmp_path, text, said):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(FgmcapsError, match=said) as caught:
        read_calibration(tmp_path / "x.json", "best")
    assert len(str(caught.value).splitlines()) == 1 and str(tmp_path / "x.json") in str(caught.value)
    with pytest.raises(FgmcapsError, match="cannot be read: No such file"):
        read_calibration(tmp_path / "none.json", "best")


def test_a_build_is_another_build_with_it(file, tmp_path):
    config = with_calibration(BuildConfig(profile_overrides={"fusion.key.precision": 0.9}), file)
    profile = PROFILE.with_overrides(config.profile_overrides)
    assert profile.fusion.calibration["key"].intercept < -0.5 and profile.fusion.key.precision == 0.9
    assert profile.fingerprint != PROFILE.fingerprint
    assert profile.estimates_fingerprint == PROFILE.estimates_fingerprint  # nothing is annotated again
    with pytest.raises(FgmcapsError, match="has no probabilities to calibrate"):
        with_calibration(BuildConfig(profile="paper"), file)
    done = CliRunner().invoke(
        main, ["build", str(tmp_path), str(tmp_path / "o"), "--calibration", str(tmp_path / "no")]
    )
    assert done.exit_code == 2 and "cannot be read" in done.output


def test_a_dataset_is_filtered_by_the_new_probabilities(file, tmp_path):
    out = built(tmp_path / "out")
    before = {row["id"]: row for row in rows_of(out)}
    refilter(out, {}, file)
    after = {row["id"]: row for row in rows_of(out)}
    assert validate(out) == []
    kept = [sum(row["key"] is not None for row in rows.values()) for rows in (before, after)]
    assert kept[1] < kept[0]
    for name, row in after.items():
        assert row["key_confidence"] < before[name]["key_confidence"]
        assert row["fused"] == before[name]["fused"] and row["tempo_bpm"] == before[name]["tempo_bpm"]
    assert read_manifest(out).config["profile_settings"]["fusion"]["calibration"]["key"]["intercept"] < -0.5
    shown = CliRunner().invoke(main, ["refilter", str(out), "--calibration", str(file)], catch_exceptions=False)
    assert shown.exit_code == 0 and "labels of 0 of" in shown.output  # it has it already


def test_the_command_fits_from_audio_with_jams(tmp_path, monkeypatch, overconfident):
    made = AnnotatedTruth(overconfident, 80, ())
    monkeypatch.setattr("fgmcaps.pipeline.labels.annotated_truth.annotated_truth", lambda *a, **k: made)
    done = CliRunner().invoke(main, ["calibrate", str(tmp_path), str(tmp_path / "c.json"), "-q"])
    assert done.exit_code == 0 and "curves of key; give it to --calibration" in done.output, done.output
    assert "0.90" in done.output and read_calibration(tmp_path / "c.json", "best").curves


def test_fused_is_a_dataclass_with_every_attribute_that_is_calibrated():
    names = {field.name for field in dataclasses.fields(Fused)}
    assert {f"{name}_probability" for name in ("tempo", "meter", "downbeats", "key", "chords")} <= names


def waltzes(count, share):
    """Clips of which ``share`` are heard as waltzes and the others in four, by a judge that expects fours."""
    others = (NamedAlternative("3/4", 0.45), NamedAlternative("6/8", 0.01), NamedAlternative("2/4", 0.01))
    three = Fused(time_signature="4/4", meter_probability=0.52, meter_alternatives=others, downbeats=(0.0, 2.0))
    four = Fused(time_signature="4/4", meter_probability=0.999)
    return [three if number < share * count else four for number in range(count)]


def test_shares_of_meters_are_found_written_and_used(tmp_path):
    found = meters_of(waltzes(400, 0.6), "best")
    assert found.meters["3/4"] > 0.3 > found.assumed["3/4"]
    assert (found.clips, found.changed) == (400, 240)
    write_meters(tmp_path / "m.json", found, "best")
    read = read_calibration(tmp_path / "m.json", "best")
    assert read.meters == found.meters and read.curves == {}
    settings = with_file(PROFILE.fusion, tmp_path / "m.json")
    waltz = keep(replace(waltzes(1, 1)[0], tempo_bpm=150.0, tempo_probability=0.99), unfiltered(settings))
    assert waltz.time_signature == "3/4"
    assert waltz.downbeats == ()
    assert waltz.fused.time_signature == "4/4"


def test_shares_that_are_none_are_refused(tmp_path):
    found = meters_of(waltzes(40, 0.5), "best")
    for meters in ({"4/4": 0.5}, {"7/8": 1.0}):
        write_meters(tmp_path / "m.json", dataclasses.replace(found, meters=meters), "best")
        with pytest.raises(FgmcapsError, match="sum to 1"):
            read_calibration(tmp_path / "m.json", "best")
    with pytest.raises(FgmcapsError, match="no clip"):
        meters_of([Fused()], "best")


def test_a_dataset_is_calibrated_without_truth(tmp_path):
    out = built(tmp_path)
    done = CliRunner().invoke(main, ["calibrate", str(out), str(tmp_path / "m.json")])
    assert done.exit_code == 0, done.output
    assert "4/4:" in done.output and "would be given another meter" in done.output
    assert refilter(out, {}, tmp_path / "m.json").rows
    assert validate(out) == []

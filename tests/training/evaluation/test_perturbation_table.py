"""The perturbation table with models that use one known attribute and nothing else."""

import numpy as np
import pytest
import torch

from fgmcaps.training.data.dataset import Row
from fgmcaps.training.evaluation.evaluate import make_pool
from fgmcaps.training.evaluation.perturbation_table import facts_of_row, perturbation_table
from tests.training.synthetic import IdentityModel, SyntheticFeatures

KEYS = ("C major", "G major", "A minor", "F# minor")
BPM = (100, 120, 130, 150)


def _vector(words, use):
    """A text or clip as the attributes that a model uses: one-hot of the words that are there."""
    names = [*KEYS, *(f"{b} BPM" for b in BPM)] if use == "both" else list(KEYS) if use == "key" else ["music"]
    return torch.tensor([[1.0 if n in words else 0.0 for n in names] + [0.3]])


class _Planted(SyntheticFeatures):
    def __init__(self, rows, use):
        super().__init__(len(rows), 2)
        self.use = use
        self._audio = [_vector(row.captions[0][1], use) for row in rows]
        self._text = [[a] for a in self._audio]


def _rows(n):
    rows = []
    for i in range(n):
        key, bpm = KEYS[i % 4], BPM[i // 4 % 4]
        text = f"A piece in {key} at {bpm} BPM." if i != 1 else f"A piece in {key}."
        rows.append(Row(f"clip-{i}", f"track-{i}", "test", (("objective", text),), 0, 10, tempo_bpm=bpm + 0.2, key=key))
    return rows


def _table(use, n=16):
    rows = _rows(n)
    features = _Planted(rows, use)
    pool = make_pool(features, range(n))
    found = perturbation_table(IdentityModel(), features, pool, rows, lambda texts: [_vector(t, use) for t in texts])
    return {(row.view, row.attribute): row for row in found}


def test_a_model_of_both_attributes_falls_for_both():
    table = _table("both")
    assert set(a for _, a in table) == {"key", "bpm"}  # noqa: C401
    for attribute in ("key", "bpm"):
        row = table["frame", attribute]
        assert row.original["R@1"] > 0.9 and row.perturbed["R@1"] < 0.5
        assert row.fall["R@1"].difference == pytest.approx(row.original["R@1"] - row.perturbed["R@1"])
        assert row.fall["R@1"].p < 0.05
        assert row.wins.mean == 1.0
    assert table["frame", "key"].clips == 16 and table["frame", "bpm"].clips == 15  # one caption states no tempo
    assert table["frame", "bpm"].of == 16


def test_a_model_of_one_attribute_falls_for_that_one_alone():
    table = _table("key")
    assert table["global", "key"].wins.mean == 1.0 and table["global", "key"].fall["R@1"].difference > 0.1
    assert table["global", "bpm"].wins.mean == 0.5  # every pair a tie
    assert table["global", "bpm"].fall["R@1"].difference == 0 and table["global", "bpm"].fall["R@1"].p == 1


def test_a_constant_model_wins_half():
    table = _table("nothing")
    assert all(row.wins.mean == 0.5 and row.fall["R@1"].p == 1 for row in table.values())
    assert table["frame", "key"].original["R@1"] == pytest.approx(1 / 16)


def test_facts_are_rounded_as_captions_round_them():
    facts = facts_of_row(_rows(1)[0])
    assert facts.tempo_bpm == 100 and facts.tempo_marking == "Moderato" and facts.key == "C major"


def test_one_caption_a_clip():
    features = SyntheticFeatures(4, captions=2)
    with pytest.raises(ValueError, match="one a clip"):
        perturbation_table(IdentityModel(), features, make_pool(features, range(4), "all"), _rows(4), lambda t: [])


def test_nothing_to_change_gives_an_empty_table():
    features = SyntheticFeatures(4)
    rows = [Row(f"c{i}", f"t{i}", "test", (("objective", "A clip of music."),), 0, 10) for i in range(4)]
    assert perturbation_table(IdentityModel(), features, make_pool(features, range(4)), rows, lambda t: []) == []
    assert np.isfinite(features.audio(0).numpy()).all()

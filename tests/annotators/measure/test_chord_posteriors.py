"""Posteriors reduced to triads as mir_eval compares them, and marginals of a chain against brute force."""

from itertools import pairwise, product

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators.evidence.chord_classes import CLASSES, MAJMIN_LABELS, NO_CHORD, OTHER, majmin_class
from fgmcaps.annotators.measure.chords import chain_marginals, chord_posteriors, majmin_masses
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.harte import QUALITIES

ROOTS = ("C", "C#", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@pytest.mark.parametrize("quality", [q for q in QUALITIES if q not in ("1", "5", "maj11")])
def test_classes_are_those_that_mir_eval_s_majmin_compares(quality: str) -> None:
    for root in ROOTS:
        label = f"{root}:{quality}"
        kind = majmin_class(label)
        same = mir_eval.chord.majmin([MAJMIN_LABELS[kind]], [label]) if kind < OTHER else None
        if kind == OTHER:
            assert all(mir_eval.chord.majmin([m], [label])[0] == 0 for m in MAJMIN_LABELS[:24])
        else:
            assert same is not None and same[0] == 1.0


def test_labels_without_a_root_and_with_an_inversion() -> None:
    assert majmin_class("N") == NO_CHORD
    assert majmin_class("X") == OTHER
    assert majmin_class("G:min7/b7") == 12 + 7
    assert majmin_class("C:7(*5)") == OTHER


def test_masses_sum_by_class() -> None:
    names = ("N", "C:maj", "C:maj7/3", "A:min", "C:dim")
    masses = majmin_masses(np.array([[0.1, 0.2, 0.3, 0.25, 0.15]]), names)
    assert masses.shape == (1, CLASSES)
    assert masses[0, [NO_CHORD, 0, 21, OTHER]] == pytest.approx([0.1, 0.5, 0.25, 0.15])


def test_spans_name_their_mass_and_the_runner_up() -> None:
    masses = np.zeros((20, CLASSES))
    masses[:10, 0], masses[:10, 21] = 0.7, 0.3
    masses[10:, 7] = 1.0
    spans = (ChordSpan(0.0, 1.0, "C:maj"), ChordSpan(1.0, 2.0, "G:7"))
    found = chord_posteriors(masses, 0.1, spans)
    assert found.majmin_mass == (0.7, 1.0)
    assert found.runner_up[0] == "A:min"
    assert found.runner_up_mass == (0.3, 0.0)
    assert found.entropy == pytest.approx([0.611, 0.0], abs=1e-3)
    assert found.root_histogram[0] == 0.35
    assert sum(found.majmin_mean) == pytest.approx(1.0, abs=0.01)


@settings(max_examples=25)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 1000))
def test_chain_marginals_equal_the_sum_over_all_paths(frames: int, states: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    unary, transition = rng.normal(size=(frames, states)) * 3, rng.normal(size=(states, states)) * 3
    initial, final = rng.normal(size=states), rng.normal(size=states)
    want = np.zeros((frames, states))
    for path in product(range(states), repeat=frames):
        for start in range(states):  # the first frame is entered from every state before it
            score = initial[start] + transition[start, path[0]] + final[path[-1]]
            score += sum(unary[t, s] for t, s in enumerate(path))
            score += sum(transition[a, b] for a, b in pairwise(path))
            want[np.arange(frames), path] += np.exp(score)
    want /= want.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(chain_marginals(unary, transition, initial, final), want, atol=1e-9)

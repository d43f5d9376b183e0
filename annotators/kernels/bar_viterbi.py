"""The likeliest path through madmom's bar model, in a tenth of the time of a general hidden Markov model.

In the model of Krebs, Boeck, Widmer (ISMIR 2015) a state is a position inside one beat of one tempo. From frame to
frame it moves on by one position, surely; only at the end of a beat may the tempo change. So the score of a beat is a
difference of two cumulative sums, and only the beats' first states need a maximum over predecessors: the same
recursion with all certain steps taken at once.

The compiled part is cached on disk by numba; it compiles once per machine (seconds).
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from fgmcaps.common.numba_cache import prepare_numba

prepare_numba()

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class BarViterbi:
    """Viterbi decoding of one ``madmom.ml.hmm.HiddenMarkovModel`` over a ``BarStateSpace``.

    Raises ValueError for a model of another form than ``DBNDownBeatTrackingProcessor`` builds.
    """

    def __init__(self, hmm: Any) -> None:
        space, self._observe = hmm.transition_model.state_space, hmm.observation_model
        self._hmm = hmm
        self._first = np.asarray(space.first_states, np.int64)  # [beats, tempi]
        self._lengths = np.asarray(space.last_states[0] - space.first_states[0] + 1, np.int64)
        pointers = np.asarray(self._observe.pointers, np.int64)
        self._heads = np.array([_head(pointers, first, self._lengths) for first in self._first])
        self._transitions = _log_transitions(hmm.transition_model, space)
        self._initial = float(np.log(1.0 / space.num_states))
        if not np.allclose(hmm.initial_distribution, 1.0 / space.num_states):
            raise ValueError("madmom's bar model with an uneven initial distribution is not supported")

    def log_probability(self, densities: Doubles, shortest: float, longest: float) -> float | None:
        """Log probability of the likeliest path whose beats all last ``shortest`` .. ``longest`` frames.

        ``densities``: float64[frames, 3] of the observation model, finite. None if the model has no such beat.
        """
        kept = np.flatnonzero((self._lengths >= shortest) & (self._lengths <= longest))
        if kept.size == 0:
            return None
        transitions = np.ascontiguousarray(self._transitions[np.ix_(kept, kept)])
        heads, first = np.ascontiguousarray(self._heads[:, kept]), np.ascontiguousarray(self._first[:, kept])
        return float(_decode(densities, first, self._lengths[kept], heads, transitions, self._initial)[1])

    def densities(self, activations: Any) -> Doubles | None:
        """Log densities float64[frames, 3] of no beat, beat, downbeat; None where a probability is exactly 0 or 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.asarray(self._observe.log_densities(activations), np.float64)
        return found if np.isfinite(found).all() else None

    def __call__(self, activations: Any) -> tuple[Any, float]:
        """``(state of each frame, log probability)`` of activations float[frames, 2], as ``hmm.viterbi`` gives them."""
        densities = self.densities(activations)
        if densities is None:  # sums of infinities say nothing
            return self._hmm.viterbi(activations)  # type: ignore[no-any-return]
        path, log_probability = _decode(
            densities, self._first, self._lengths, self._heads, self._transitions, self._initial
        )
        return path, float(log_probability)


def _head(pointers: Ints, first: Ints, lengths: Ints) -> list[int]:
    """For each tempo of a beat the number of its first states that observe the beat and not the rest."""
    heads = []
    for start, length in zip(first, lengths, strict=True):
        on_beat = pointers[start : start + length] > 0
        head = int(on_beat.sum())
        if head == 0 or not on_beat[:head].all():
            raise ValueError("madmom's bar model with beat observations off the beat is not supported")
        heads.append(head)
    return heads


def _log_transitions(model: Any, space: Any) -> Doubles:
    """Log probability [from tempo, to tempo] of a change of tempo between beats, the same for all beats."""
    last, first = np.asarray(space.last_states), np.asarray(space.first_states)
    pointers, states = np.asarray(model.pointers, np.int64), np.asarray(model.states, np.int64)
    log_probabilities = np.asarray(model.log_probabilities)
    tables = []
    for beat in range(len(first)):
        table = np.full((last.shape[1], first.shape[1]), -np.inf)
        begin, end = pointers[first[beat]], pointers[first[beat] + 1]
        entries = np.concatenate([np.arange(b, e) for b, e in zip(begin, end, strict=True)])
        to = np.repeat(np.arange(len(begin)), end - begin)
        table[np.searchsorted(last[beat - 1], states[entries]), to] = log_probabilities[entries]
        tables.append(table)
    if not all(np.array_equal(table, tables[0]) for table in tables):
        raise ValueError("madmom's bar model with tempo changes that differ by beat is not supported")
    return tables[0]


@numba.njit(cache=True, nogil=True)
def _decode(
    densities: Doubles, first: Ints, lengths: Ints, heads: Ints, transitions: Doubles, initial: float
) -> tuple[npt.NDArray[np.uint32], float]:
    frames, beats, tempi = densities.shape[0], first.shape[0], lengths.shape[0]
    sums = np.zeros((frames + 1, 3))  # sums[t] = densities of the frames before t
    for t in range(frames):
        for kind in range(3):
            sums[t + 1, kind] = sums[t, kind] + densities[t, kind]
    entry = np.empty((frames, beats, tempi))  # score of a beat's first state
    source = np.empty((frames, beats, tempi), np.int16)
    ends, best_of, chosen = np.empty(tempi), np.empty(tempi), np.empty(tempi, np.int64)
    for t in range(frames):
        for beat in range(beats):
            before = beat - 1 if beat > 0 else beats - 1
            kind_before = 2 if before == 0 else 1
            for i in range(tempi):
                ends[i] = _score(
                    t - 1, lengths[i] - 1, heads[before, i], kind_before, entry[:, before, i], sums, initial
                )
            _step(ends, transitions, best_of, chosen)
            density = densities[t, 2 if beat == 0 else 1]
            for j in range(tempi):
                entry[t, beat, j] = best_of[j] + density
                source[t, beat, j] = chosen[j]
    best, beat, tempo, position = -np.inf, 0, 0, 0
    for b in range(beats):
        for i in range(tempi):
            for k in range(lengths[i]):
                score = _score(frames - 1, k, heads[b, i], 2 if b == 0 else 1, entry[:, b, i], sums, initial)
                if score > best:
                    best, beat, tempo, position = score, b, i, k
    path = np.empty(frames, np.uint32)
    for t in range(frames - 1, -1, -1):
        path[t] = first[beat, tempo] + position
        if position > 0:
            position -= 1
        else:
            tempo = source[t, beat, tempo]
            beat = beat - 1 if beat > 0 else beats - 1
            position = lengths[tempo] - 1
    return path, best


@numba.njit(cache=True, nogil=True)
def _step(ends: Doubles, transitions: Doubles, best_of: Doubles, chosen: Ints) -> None:
    """Best predecessor of each tempo, the first of equals; the inner loop has no branch, so it runs in vectors."""
    tempi = len(ends)
    for j in range(tempi):
        best_of[j], chosen[j] = -np.inf, 0
    for i in range(tempi):
        end = ends[i]
        for j in range(tempi):
            score = end + transitions[i, j]
            better = score > best_of[j]
            best_of[j] = score if better else best_of[j]
            chosen[j] = i if better else chosen[j]


@numba.njit(cache=True, nogil=True, inline="always")
def _score(t: int, position: int, head: int, kind: int, entry: Doubles, sums: Doubles, initial: float) -> float:
    """Score at frame ``t`` of a beat's state number ``position``; ``t`` = -1 is before the first frame."""
    start = t - position  # frame of the beat's first state
    turn = min(max(start + head, 0), t + 1)  # first frame past the beat's head
    if start < 0:
        return float(initial + sums[turn, kind] + sums[t + 1, 0] - sums[turn, 0])
    return float(entry[start] + sums[turn, kind] - sums[start + 1, kind] + sums[t + 1, 0] - sums[turn, 0])

"""Evidence as tests need it: neutral, with some fields set, and any that a tool could write."""

from typing import Any

from hypothesis import strategies as st

from fgmcaps.annotators.evidence.bars import BarLikelihoods
from fgmcaps.annotators.evidence.base import Evidence
from fgmcaps.annotators.evidence.beats import BeatActivations, BeatPeriods
from fgmcaps.annotators.evidence.chord_classes import CLASSES, MAJMIN_LABELS
from fgmcaps.annotators.evidence.chords import ChordPosteriors
from fgmcaps.annotators.evidence.keys import KeyScores, MeanChroma
from fgmcaps.annotators.evidence.onsets import OnsetEvidence
from fgmcaps.annotators.evidence.signal import SignalEvidence
from fgmcaps.annotators.evidence.tempi import TempoCandidates, TempoLikelihoods
from fgmcaps.schemas.estimate import Detail

BARS, LAGS, BANDS = len(BeatPeriods.BARS), len(BeatPeriods.LAG_RATIOS), len(OnsetEvidence.BANDS)
PLACES = len(BeatPeriods.PLACES)


def details(*kinds: Evidence) -> dict[str, Detail]:
    """Details of an estimate that holds these kinds of evidence."""
    return {name: value for kind in kinds for name, value in kind.to_details().items()}


def activations(**fields: Any) -> BeatActivations:
    """Nothing on no beat, but for ``fields``."""
    return BeatActivations(**{"beat_activation": (), "downbeat_activation": (), "tempo_bpm": (), "tempo_strength": (),
                              **fields})  # fmt: skip


def periods(**fields: Any) -> BeatPeriods:
    """Zeros, but for ``fields``."""
    bars = dict.fromkeys(("bar_contrast", "bar_margin", "bar_phase", "downbeat_lag"), (0.0,) * BARS)
    rest = {"between": (0.0,) * PLACES, "every": (0.0,) * 3, "lag_ratio": (0.0,) * LAGS, "irregularity": 0.0}
    return BeatPeriods(**{**bars, **rest, **fields})  # type: ignore[arg-type]


def onsets(**fields: Any) -> OnsetEvidence:
    """Zeros, but for ``fields``."""
    between, lag = ((0.0,) * (1 + PLACES),) * BANDS, ((0.0,) * LAGS,) * BANDS
    return OnsetEvidence(**{"onset_between": between, "onset_low": (), "onset_all": (), "onset_lag": lag, **fields})


def posteriors(**fields: Any) -> ChordPosteriors:
    """Of as many spans as the longest of ``fields``: masses and entropies of 0, runner-up ``N``."""
    count = max((len(value) for value in fields.values()), default=0)
    zeros = dict.fromkeys(("majmin_mass", "runner_up_mass", "entropy"), (0.0,) * count)
    whole = {"runner_up": ("N",) * count, "majmin_mean": (0.0,) * CLASSES, "root_histogram": (0.0,) * 12}
    return ChordPosteriors(**{**zeros, **whole, **fields})  # type: ignore[arg-type]


_number = st.floats(-100, 100)


def vectors(length: int | None = None) -> st.SearchStrategy[tuple[float, ...]]:
    """Tuples of ``length`` numbers, of up to 12 if it is None."""
    return st.lists(_number, min_size=length or 0, max_size=12 if length is None else length).map(tuple)


def _table(rows: int, columns: int) -> st.SearchStrategy[tuple[tuple[float, ...], ...]]:
    return st.tuples(*[vectors(columns)] * rows)


def any_posteriors(spans: int) -> st.SearchStrategy[ChordPosteriors]:
    """Of a sequence of ``spans`` chords."""
    runner_up = st.lists(st.sampled_from(MAJMIN_LABELS), min_size=spans, max_size=spans).map(tuple)
    masses = [vectors(spans) if spans else st.just(())] * 2
    entropy = vectors(spans) if spans else st.just(())
    return st.builds(ChordPosteriors, masses[0], runner_up, masses[1], entropy, vectors(CLASSES), vectors(12))


ANY: dict[type[Evidence], st.SearchStrategy[Any]] = {
    BeatActivations: st.builds(BeatActivations, vectors(), vectors(), vectors(), vectors()),
    BeatPeriods: st.builds(
        BeatPeriods, *[vectors(BARS)] * 3, vectors(PLACES), vectors(3), vectors(LAGS), vectors(BARS), _number
    ),
    OnsetEvidence: st.builds(OnsetEvidence, _table(BANDS, 1 + PLACES), vectors(), vectors(), _table(BANDS, LAGS)),
    BarLikelihoods: st.builds(BarLikelihoods.of, st.dictionaries(st.integers(2, 7), _number), st.integers(1, 2000)),
    TempoLikelihoods: st.builds(TempoLikelihoods, st.tuples(*[st.just(()) | vectors(4)] * 7)),
    TempoCandidates: st.builds(TempoCandidates, _number, vectors(), vectors(), vectors()),
    KeyScores: st.builds(KeyScores, vectors(24)),
    MeanChroma: st.builds(MeanChroma, vectors(12)),
    ChordPosteriors: st.integers(0, 5).flatmap(any_posteriors),
    SignalEvidence: st.builds(SignalEvidence, _number, vectors(12), vectors(12), *[_number] * 6),
}
"""A strategy for each kind of evidence."""

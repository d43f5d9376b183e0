"""madmom's bar model as a decoder of activations into beats."""

from typing import Any

from fgmcaps.annotators.kernels.bar_viterbi import BarViterbi
from fgmcaps.annotators.libraries.madmom import import_madmom


class BarDecoder:
    """madmom's downbeat DBN, with the log-likelihood of every bar length that it compared.

    Krebs, Boeck, Widmer, "An efficient state-space model for joint tempo and meter tracking", ISMIR 2015: one hidden
    Markov model per bar length, the likeliest path wins. The model and all around it is madmom's own; the likeliest
    path is found by :mod:`fgmcaps.annotators.kernels.bar_viterbi`.
    """

    def __init__(self, beats_per_bar: tuple[int, ...], fps: int, evidence_bars: tuple[int, ...] = ()) -> None:
        downbeats = import_madmom("madmom.features.downbeats")
        self._process = downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=list(beats_per_bar), fps=fps)
        self._evidence = [downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[bar], fps=fps) for bar in evidence_bars]
        self.beats_per_bar, self.evidence_bars = beats_per_bar, evidence_bars
        self._fast = {id(hmm): BarViterbi(hmm) for p in (self._process, *self._evidence) for hmm in p.hmms}

    def __call__(self, activations: Any) -> tuple[list[float], list[int], dict[int, float]]:
        """``(beat times in s, numbers in the bar, log-likelihood by bar length)`` of activations float32[frames, 2].

        The beats are those of the likeliest of ``beats_per_bar``; ``evidence_bars`` only add their log-likelihood.
        """
        found, likelihoods = self._run(self._process, activations)
        by_bar = dict(zip(self.beats_per_bar, likelihoods, strict=False))
        for bar, process in zip(self.evidence_bars, self._evidence, strict=True):
            by_bar.update(zip((bar,), self._run(process, activations)[1], strict=False))
        return [round(float(t), 4) for t, _ in found], [int(n) for _, n in found], by_bar

    def _run(self, process: Any, activations: Any) -> tuple[Any, list[float]]:
        likelihoods: list[float] = []

        def recording_map(_: Any, tasks: Any) -> list[Any]:  # madmom keeps the paths and drops their likelihood
            results = [self._fast[id(hmm)](observations) for hmm, observations in tasks]
            likelihoods.extend(float(log_prob) for _, log_prob in results)
            return results

        process.map = recording_map
        return process(activations), likelihoods

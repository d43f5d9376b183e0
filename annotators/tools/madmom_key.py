"""madmom's key network: 24 keys from a log-frequency spectrogram at 5 frames/s, learned from recordings.

Korzeniowski, Widmer, "Genre-agnostic key classification with convolutional neural networks", ISMIR 2018.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Annotator, Samples, installed_version
from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.keys import KeyScores
from fgmcaps.annotators.kernels.torch_threads import one_thread
from fgmcaps.annotators.libraries.madmom import DISTRIBUTION, LICENCE, URL, import_madmom
from fgmcaps.schemas import Key, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value
from fgmcaps.schemas.music import KEYS

if TYPE_CHECKING:
    from fgmcaps.annotators.kernels.key_network import KeyNetwork

LEAST_FRAMES = 8
"""The network halves time three times: a shorter spectrogram is filled up with silence."""
_A_TO_C = 9  # the network counts tonics from A


@dataclass(frozen=True, slots=True)
class _KeyModel:
    spectrogram: Callable[[Samples], npt.NDArray[np.float32]]
    network: "KeyNetwork"


class MadmomKey(Annotator[_KeyModel]):
    """The likeliest key, its probability as the network gives it; details: ``scores``, log-probabilities of all 24.

    The probabilities are the network's own; on 10 s they are more cautious than right.
    """

    attribute: ClassVar = "key"
    sample_rate: ClassVar[int] = 44_100
    requires: ClassVar[tuple[str, ...]] = (DISTRIBUTION,)

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("madmom_key", installed_version(DISTRIBUTION), LICENCE, URL)

    def _load(self) -> _KeyModel:
        from fgmcaps.annotators.kernels.key_network import KeyNetwork  # here, as it imports torch

        shipped = import_madmom("madmom.features.key").CNNKeyRecognitionProcessor()
        front, ensemble = shipped.processors[:4], shipped.processors[4]
        (network,) = ensemble.processors[0].processors  # an ensemble of one

        def spectrogram(samples: Samples) -> npt.NDArray[np.float32]:
            found: Any = samples
            for step in front:
                found = step(found)
            return np.array(found, np.float32)

        return _KeyModel(spectrogram, KeyNetwork(network))

    def _estimate(self, model: _KeyModel, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        frames = model.spectrogram(samples)
        missing = max(0, LEAST_FRAMES - len(frames))
        padded = np.pad(frames, ((0, missing), (0, 0)))
        with one_thread():
            scores = model.network(padded[None])[0]
        scores = np.concatenate([np.roll(scores[:12], _A_TO_C), np.roll(scores[12:], _A_TO_C)])
        best = int(np.argmax(scores))
        return Key(KEYS[best]), round(float(np.exp(scores[best])), 4), KeyScores(rounded(scores)).to_details()

"""An annotator of your own: a key finder that takes the commonest pitch class for the tonic of a major key.

python examples/own_annotator.py song.flac

To use one in builds, put it in a file of ``annotators/tools/``, add a line to ``annotators/registry.py``, and name it
in a profile (``annotators/profiles/``).
"""

import sys
from typing import Any, ClassVar

import numpy as np

from fgmcaps.annotators.base import Annotator, Samples
from fgmcaps.pipeline.audio.decode import Decoder
from fgmcaps.schemas import Key, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value
from fgmcaps.schemas.music import KEYS


class CommonestPitch(Annotator[range]):
    """The tonic is the pitch class with the most energy. A bad key finder, and a whole annotator."""

    attribute: ClassVar = "key"
    sample_rate: ClassVar[int] = 22_050

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence."""
        return ToolInfo("commonest_pitch", "1", "Apache-2.0")

    def _load(self) -> range:
        return range(60, 2000)  # Hz; where others load a network, once a process

    def _estimate(self, model: range, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        power = np.abs(np.fft.rfft(samples)) ** 2
        hz = np.fft.rfftfreq(len(samples), 1 / self.sample_rate)
        heard = (hz > model.start) & (hz < model.stop)
        pitch_class = np.round(12 * np.log2(hz[heard] / 261.63)).astype(int) % 12
        chroma = np.bincount(pitch_class, weights=power[heard], minlength=12)
        share = float(chroma.max() / chroma.sum()) if chroma.sum() else 0.0
        return Key(KEYS[int(chroma.argmax())]), share, {}


def main() -> None:
    """Print the key of the first ten seconds of each file."""
    from fgmcaps.annotators import resample

    tool: Annotator[Any] = CommonestPitch()
    with Decoder() as decoder:
        for name in sys.argv[1:]:
            samples, rate = decoder.read(name, 0, 10)
            print(name, tool.annotate(resample(samples, rate, tool.sample_rate), tool.sample_rate).value)


if __name__ == "__main__":
    main()

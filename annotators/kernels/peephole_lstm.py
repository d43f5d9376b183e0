"""madmom's bidirectional peephole LSTMs: all networks of an ensemble together, over one clip or many.

madmom steps through each small network frame by frame in numpy: 8 networks x 3 layers x 2 directions x 1,000 frames of
25 cells. Here the inputs of a layer are weighted by one product for all frames and networks, and the recurrence runs
compiled (:mod:`fgmcaps.annotators.kernels.lstm_recurrence`, clip by clip: a batch gains nothing on a processor, and a
clip's scores do not depend on the others'), or on a GPU in torch with all clips, networks and directions in one step.

Cell (Gers, Schraudolph, Schmidhuber 2002; madmom.ml.nn.layers.LSTMLayer), with peepholes p:
``i = s(W_i x + R_i h + p_i c)``, ``f = s(W_f x + R_f h + p_f c)``, ``c' = i tanh(W_c x + R_c h) + f c``,
``o = s(W_o x + R_o h + p_o c')``, ``h' = o tanh(c')``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fgmcaps.annotators.kernels.lstm_recurrence import padded, recur


def _stepwise(inputs: Tensor, recurrent: Tensor, peephole_if: Tensor, peephole_o: Tensor) -> Tensor:
    """Weighted inputs [frames, G, clips, 4H] (order i, f, o, c) of G LSTMs -> hidden states [frames, G, clips, H].

    ``recurrent`` [G, H, 4H], ``peephole_if`` [G, 1, 2, H], ``peephole_o`` [G, 1, 1, H].
    """
    _, groups, clips, width = inputs.shape
    cells = width // 4
    h = inputs.new_zeros(groups, clips, cells)
    c = inputs.new_zeros(groups, clips, 1, cells)
    out = []
    for frame in inputs.unbind():
        gates = torch.baddbmm(frame, h, recurrent).view(groups, clips, 4, cells)
        i, f = torch.addcmul(gates[:, :, :2], c, peephole_if).sigmoid_().chunk(2, dim=2)
        c = torch.addcmul(c * f, gates[:, :, 3:].tanh(), i)
        h = (torch.addcmul(gates[:, :, 2:3], c, peephole_o).sigmoid_() * c.tanh()).squeeze(2)
        out.append(h)
    return torch.stack(out)


class _BidirectionalLayer:
    """One layer of N networks, both directions: weights [N, in, 2 x 4H], forward first, gates i, f, o, c."""

    def __init__(self, layers: list[Any], device: str) -> None:
        lstms = [[layer.fwd_layer, layer.bwd_layer] for layer in layers]
        if any(np.any(m.init) or np.any(m.cell_init) for pair in lstms for m in pair):
            raise ValueError("madmom network with a learned initial state: not supported by this recurrence")
        gates = [[(m.input_gate, m.forget_gate, m.output_gate, m.cell) for m in pair] for pair in lstms]

        def stacked(name: str) -> Any:  # [N, 2, rows, 4, H]
            rows = [[[np.atleast_2d(getattr(g, name)) for g in four] for four in pair] for pair in gates]
            return np.moveaxis(np.array(rows, dtype=np.float32), 2, 3)

        weights, bias, recurrent = stacked("weights"), stacked("bias"), stacked("recurrent_weights")
        peepholes = np.array([[[g.peephole_weights for g in four[:3]] for four in pair] for pair in gates], np.float32)
        networks, _, inputs, _, self._cells = weights.shape
        self._networks = networks
        self._weights = torch.from_numpy(np.moveaxis(weights, 1, 2).reshape(networks, inputs, -1)).to(device)
        self._bias = torch.from_numpy(np.moveaxis(bias, 1, 2).reshape(networks, 1, -1)).to(device)
        self._padded_recurrent, self._padded_peepholes = padded(recurrent), padded(peepholes)
        self._recurrent = torch.from_numpy(recurrent.reshape(2 * networks, self._cells, -1)).to(device)
        flat = torch.from_numpy(peepholes.reshape(2 * networks, 1, 3, self._cells)).to(device)
        self._peephole_if, self._peephole_o = flat[:, :, :2], flat[:, :, 2:]

    def compiled(self, x: Tensor) -> Tensor:
        """[N, frames, in] of one clip -> [N, frames, 2H], on the processor."""
        weighted = torch.baddbmm(self._bias, x, self._weights).numpy()
        frames = weighted.shape[1]
        out = np.empty((self._networks, frames, 2, self._cells), np.float32)
        inputs = weighted.reshape(self._networks, frames, 2, 4, self._cells)
        recur(inputs, self._padded_recurrent, self._padded_peepholes, out)
        return torch.from_numpy(out.reshape(self._networks, frames, -1))

    def batched(self, x: Tensor) -> Tensor:
        """[clips, N, frames, in] -> [clips, N, frames, 2H], on any device."""
        clips, networks, frames, _ = x.shape
        weighted = (x @ self._weights + self._bias).view(clips, networks, frames, 2, -1)
        weighted = torch.stack((weighted[..., 0, :], weighted[..., 1, :].flip(2)), dim=2)  # clips, N, 2, frames, 4H
        steps = weighted.permute(3, 1, 2, 0, 4).reshape(frames, 2 * networks, clips, -1)
        hidden = _stepwise(steps.contiguous(), self._recurrent, self._peephole_if, self._peephole_o)
        hidden = hidden.view(frames, networks, 2, clips, -1).permute(3, 1, 2, 0, 4)  # clips, N, 2, frames, H
        return torch.cat((hidden[:, :, 0], hidden[:, :, 1].flip(2)), dim=3)


class LstmEnsemble:
    """An ensemble of madmom networks (bidirectional LSTM layers, then softmax), averaged.

    ``networks``: madmom ``NeuralNetwork`` objects of one architecture, as its own model files load. ``compiled``: run
    the recurrence by the compiled kernel (the default on ``cpu``, where alone it can) or step by step in torch.
    """

    def __init__(self, networks: list[Any], device: str = "cpu", compiled: bool | None = None) -> None:
        depth = {len(network.layers) for network in networks}
        if len(depth) != 1:
            raise ValueError(f"networks of unequal depth: {sorted(depth)}")
        by_layer = list(zip(*(network.layers for network in networks), strict=True))
        self._layers = [_BidirectionalLayer(list(layer), device) for layer in by_layer[:-1]]
        heads = by_layer[-1]
        self._weights = torch.from_numpy(np.stack([head.weights for head in heads])).float().to(device)
        self._bias = torch.from_numpy(np.stack([head.bias for head in heads])).float().unsqueeze(1).to(device)
        self._networks = len(networks)
        self._compiled = device == "cpu" if compiled is None else compiled

    def __call__(self, features: Tensor) -> Tensor:
        """float32[clips, frames, features] -> mean class probabilities float32[clips, frames, classes]."""
        run: Callable[[Tensor], Tensor] = self._one if self._compiled else self._all
        return torch.stack([run(clip) for clip in features]) if self._compiled else run(features)

    def _one(self, features: Tensor) -> Tensor:
        x = features.expand(self._networks, -1, -1)
        for layer in self._layers:
            x = layer.compiled(x)
        return torch.softmax(torch.baddbmm(self._bias, x, self._weights), dim=2).mean(dim=0)

    def _all(self, features: Tensor) -> Tensor:
        x = features.unsqueeze(1).expand(-1, self._networks, -1, -1)
        for layer in self._layers:
            x = layer.batched(x)
        return torch.softmax(x @ self._weights + self._bias, dim=3).mean(dim=1)

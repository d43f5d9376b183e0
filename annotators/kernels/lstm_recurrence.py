"""The recurrence of madmom's peephole LSTMs, compiled for one processor core.

At 25 cells a step is a few hundred multiplications: in numpy or torch the calls around them cost twenty times as much.
Rows are padded to 32 cells, so that every loop below runs in vectors; the padding stays zero. numba caches the compiled
code on disk.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from fgmcaps.common.numba_cache import prepare_numba

prepare_numba()

Floats = npt.NDArray[np.float32]

PADDED = 32
_LOG2_E = np.float32(1.4426950408889634)
_LN2 = np.float32(0.6931471805599453)
_LIMIT = np.float32(87.0)  # exp stays a normal number
# exp(r) on |r| <= ln 2 / 2 by its Taylor series: the first term left out is 5e-9
_C2, _C3, _C4 = np.float32(1 / 2), np.float32(1 / 6), np.float32(1 / 24)
_C5, _C6, _C7 = np.float32(1 / 120), np.float32(1 / 720), np.float32(1 / 5040)
_HALF, _ONE, _TWO = np.float32(0.5), np.float32(1), np.float32(2)
_EXPONENT_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)


def padded(values: Floats) -> Floats:
    """The last axis filled up to 32 with zeros. Raises ValueError if it is longer."""
    if values.shape[-1] > PADDED:
        raise ValueError(f"{values.shape[-1]} cells; this recurrence has room for {PADDED}")
    out = np.zeros((*values.shape[:-1], PADDED), np.float32)
    out[..., : values.shape[-1]] = values
    return out


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp"}, inline="always")
def exponentials(x: Any, bits: Any, power: Any, start: int, stop: int) -> None:
    """``x[start:stop] = exp(x[start:stop])``; ``power`` is ``bits`` (int32) seen as float32."""
    for j in range(start, stop):
        value = min(max(x[j], -_LIMIT), _LIMIT)
        whole = np.floor(value * _LOG2_E + _HALF)
        bits[j] = (np.int32(whole) + _EXPONENT_BIAS) << _MANTISSA_BITS
        r = value - whole * _LN2
        x[j] = _ONE + r * (_ONE + r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * (_C6 + r * _C7))))))
    for j in range(start, stop):
        x[j] *= power[j]


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp"})
def recur(inputs: Floats, recurrent: Floats, peepholes: Floats, out: Floats) -> None:
    """Hidden states of N bidirectional layers of H cells; the second direction runs backward in time.

    ``inputs`` [N, frames, 2, 4, H]: weighted inputs and biases of input, forget, output gate and cell. ``recurrent``
    [N, 2, H, 4, 32], ``peepholes`` [N, 2, 3, 32] (input, forget, output). ``out`` [N, frames, 2, H] is written.
    """
    networks, frames, _, _, cells = inputs.shape
    gates, state, hidden = np.empty(4 * PADDED, np.float32), np.empty(PADDED, np.float32), np.empty(PADDED, np.float32)
    bits = np.empty(4 * PADDED, np.int32)
    power = bits.view(np.float32)
    squashed = np.empty(PADDED, np.float32)
    for lstm in range(2 * networks):
        n, direction = lstm // 2, lstm % 2
        state[:] = 0
        hidden[:] = 0
        weights, peephole = recurrent[n, direction].reshape(cells, 4 * PADDED), peepholes[n, direction]
        for step in range(frames):
            t = step if direction == 0 else frames - 1 - step
            for gate in range(4):
                for j in range(cells):
                    gates[gate * PADDED + j] = inputs[n, t, direction, gate, j]
                for j in range(cells, PADDED):
                    gates[gate * PADDED + j] = 0
            for k in range(cells):
                value = hidden[k]
                for j in range(4 * PADDED):
                    gates[j] += value * weights[k, j]
            for j in range(PADDED):
                gates[j] = -(gates[j] + peephole[0, j] * state[j])
                gates[PADDED + j] = -(gates[PADDED + j] + peephole[1, j] * state[j])
                gates[3 * PADDED + j] *= -_TWO
            exponentials(gates, bits, power, 0, 2 * PADDED)
            exponentials(gates, bits, power, 3 * PADDED, 4 * PADDED)
            for j in range(PADDED):
                into = _TWO / (_ONE + gates[3 * PADDED + j]) - _ONE
                state[j] = into / (_ONE + gates[j]) + state[j] / (_ONE + gates[PADDED + j])
                gates[2 * PADDED + j] = -(gates[2 * PADDED + j] + peephole[2, j] * state[j])
                squashed[j] = -_TWO * state[j]
            exponentials(gates, bits, power, 2 * PADDED, 3 * PADDED)
            exponentials(squashed, bits, power, 0, PADDED)
            for j in range(PADDED):
                hidden[j] = (_TWO / (_ONE + squashed[j]) - _ONE) / (_ONE + gates[2 * PADDED + j])
            for j in range(cells):
                out[n, t, direction, j] = hidden[j]

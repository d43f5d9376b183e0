"""MIDI to samples with libfluidsynth, in process: a soundfont is loaded once, not once a clip."""

import ctypes
import ctypes.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44100
_BLOCK = 4096


def _load() -> ctypes.CDLL:
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        raise FileNotFoundError("libfluidsynth is missing: apt install fluidsynth")
    lib = ctypes.CDLL(name)
    for function in ("new_fluid_settings", "new_fluid_synth", "new_fluid_player", "fluid_synth_get_sfont"):
        getattr(lib, function).restype = ctypes.c_void_p
    return lib


class Synth:
    """One soundfont, ready to render. Not thread-safe; one per process and soundfont.

    Same MIDI and reverb, same samples: each piece gets a new synth (chorus and vibrato keep their phase over a reset),
    to which the loaded soundfont is lent.
    """

    def __init__(self, soundfont: Path) -> None:
        self._lib = _load()
        lib = self._lib
        lib.fluid_set_log_function(2, None, None)  # 2 = warnings: soundfonts without a drum bank for a kit, and such
        self._settings = ctypes.c_void_p(lib.new_fluid_settings())
        lib.fluid_settings_setnum(self._settings, b"synth.sample-rate", ctypes.c_double(SAMPLE_RATE))
        lib.fluid_settings_setstr(self._settings, b"player.timing-source", b"sample")
        lib.fluid_settings_setint(self._settings, b"synth.lock-memory", 0)
        lib.fluid_settings_setint(self._settings, b"synth.dynamic-sample-loading", 0)
        lib.fluid_settings_setnum(self._settings, b"synth.gain", ctypes.c_double(0.4))
        self._owner = ctypes.c_void_p(lib.new_fluid_synth(self._settings))
        if lib.fluid_synth_sfload(self._owner, str(soundfont).encode(), 1) < 0:
            raise OSError(f"{soundfont}: libfluidsynth cannot load this soundfont")
        self._soundfont = ctypes.c_void_p(lib.fluid_synth_get_sfont(self._owner, 0))

    def render(self, midi: bytes, seconds: float, room: float = 0.4, level: float = 0.3) -> NDArray[np.float32]:
        """Mono float32 samples at SAMPLE_RATE from the piece's start; reverb ``room`` and ``level`` in 0 .. 1."""
        lib = self._lib
        synth = ctypes.c_void_p(lib.new_fluid_synth(self._settings))
        lib.fluid_synth_add_sfont(synth, self._soundfont)
        lib.fluid_synth_set_reverb(
            synth, ctypes.c_double(room), ctypes.c_double(0.3), ctypes.c_double(0.6), ctypes.c_double(level)
        )
        player = ctypes.c_void_p(lib.new_fluid_player(synth))
        lib.fluid_player_add_mem(player, midi, ctypes.c_size_t(len(midi)))
        lib.fluid_player_play(player)
        frames = round(seconds * SAMPLE_RATE)
        stereo = np.zeros(2 * frames, np.float32)
        buffer = stereo.ctypes.data
        for start in range(0, frames, _BLOCK):
            count = min(_BLOCK, frames - start)
            at = ctypes.c_void_p(buffer + 8 * start)
            lib.fluid_synth_write_float(synth, count, at, 0, 2, at, 1, 2)
        lib.fluid_player_stop(player)
        lib.delete_fluid_player(player)
        lib.fluid_synth_remove_sfont(synth, self._soundfont)
        lib.delete_fluid_synth(synth)
        return np.asarray(stereo.reshape(-1, 2).mean(axis=1), np.float32)

"""The audio encoder that needs no weights: log-mel, chroma, chords, onset strength, tempogram; 25 frames a second.

Every part is a fixed formula. Only the standardisation is fitted: mean and deviation of each feature over the frames
of the training split. Clip-wide parts (tempogram, meter, key) are the same in every frame of a clip.
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.training.encoders import spectral_filters as filters
from fgmcaps.training.encoders import spectral_rhythm as rhythm
from fgmcaps.training.encoders import spectral_tonal as tonal
from fgmcaps.training.encoders.base import AudioEncoder

SAMPLE_RATE, FRAME_RATE = 24_000, 25
HOP = SAMPLE_RATE // FRAME_RATE
ONSET_RATE, N_FFT, MEL_BANDS = 100, 1024, 40
ONSET_HOP, PER_FRAME = SAMPLE_RATE // ONSET_RATE, ONSET_RATE // FRAME_RATE
DECIMATE = 8
LOW_RATE, LOW_FFT = SAMPLE_RATE // DECIMATE, 2048
LOWEST, NOTES, PER_SEMITONE = 28, 60, 3  # E1 (41 Hz) to D#6 (1,245 Hz)
PER_OCTAVE = 24
LAGS = filters.lag_grid(0.1, 6, PER_OCTAVE)  # 0.1 to 6.4 s: from a fast eighth to a slow bar
BANDS = ((0, 6), (6, 20), (20, 40))  # low (< 300 Hz), middle, high (> 2 kHz)
RATIOS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 5, 6, 8)
STEPS = [round(PER_OCTAVE * math.log2(r)) for r in RATIOS]
LIMIT = 8.0
LOUD_FLOOR = 1e-3  # power of a mel band (of a clip with RMS 1) under which onsets do not count


@dataclass(frozen=True, slots=True)
class Part:
    """A named range of the feature vector."""

    name: str
    size: int


class SpectralEncoder(AudioEncoder):
    """See the module. ``dim`` is the sum of ``parts``."""

    name: ClassVar[str] = "spectral"
    licence: ClassVar[str] = "Apache-2.0"
    revision = "2"
    sample_rate = SAMPLE_RATE
    frame_rate = float(FRAME_RATE)

    def __init__(self) -> None:
        self._tempo = slice(PER_OCTAVE, len(LAGS), 1)  # 0.2 s and longer
        coarse = len(range(PER_OCTAVE, len(LAGS), 2))
        self.parts = (
            Part("log_mel", MEL_BANDS),
            Part("onset", len(BANDS) + 1),
            Part("chroma", 12),
            Part("bass", 12),
            Part("chords", 60),
            Part("key", 24),
            Part("tempogram", len(LAGS) - PER_OCTAVE),
            Part("pattern", coarse),
            Part("harmony", coarse),
            Part("tempo", len(LAGS) - PER_OCTAVE),
            Part("meter", 6 * len(RATIOS)),
        )
        self.dim = sum(part.size for part in self.parts)
        self._mean: Tensor | None = None
        self._scale: Tensor | None = None
        self._filters: dict[str, Tensor] = {}

    def settings(self) -> dict[str, Any]:
        """The parts; their formulas are this code, whose version is the revision."""
        return {"parts": [list(asdict(part).values()) for part in self.parts]}

    def setup(self, device: torch.device | str = "cpu") -> None:
        """Make the filters."""
        taps = 129
        place = np.arange(taps) - taps // 2
        lowpass = np.sinc(place * 0.9 / DECIMATE) * np.hamming(taps)
        made = {
            "mel": filters.mel_bank(SAMPLE_RATE, N_FFT, MEL_BANDS, 40.0),
            "window": torch.hann_window(N_FFT),
            "lowpass": torch.from_numpy((lowpass / lowpass.sum()).astype(np.float32)),
            "low_window": torch.hann_window(LOW_FFT),
            "pitch": filters.pitch_bank(LOW_RATE, LOW_FFT, LOWEST, NOTES, PER_SEMITONE),
            "lags": torch.from_numpy(LAGS.astype(np.float32)),
            "onset_peaks": filters.lag_reader(LAGS, ONSET_RATE),
            "frame_peaks": filters.lag_reader(LAGS, FRAME_RATE),
            "onset_lags": filters.lag_bank(LAGS, ONSET_RATE),
            "frame_lags": filters.lag_bank(LAGS, FRAME_RATE),
            "chords": filters.chord_templates(),
            "keys": filters.key_templates(),
        }
        self._filters = {name: tensor.to(device) for name, tensor in made.items()}
        if self._mean is not None and self._scale is not None:
            self._mean, self._scale = self._mean.to(device), self._scale.to(device)

    def frames(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class. A clip of n samples has ``n // 960`` frames, at least one."""
        if self._mean is None or self._scale is None:
            raise RuntimeError("the spectral encoder has no statistics yet: fit() or load_state() first")
        features, mask = self.raw(audio, lengths)
        out = ((features - self._mean) * self._scale).clamp(-LIMIT, LIMIT)
        return out * mask[..., None], mask

    def raw(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features before standardisation: float32[B, T, dim] and bool[B, T]."""
        if not self._filters:
            raise RuntimeError("the spectral encoder: call setup() first")
        f = self._filters
        device = f["window"].device
        audio, lengths = audio.to(device), lengths.to(device)
        counts = (lengths // HOP).clamp(min=1)
        time = int(counts.max())
        audio = functional.pad(audio, (0, max(0, time * HOP - audio.shape[1])))[:, : time * HOP]
        mask = torch.arange(time, device=device) < counts[:, None]
        audio = audio * mask.repeat_interleave(HOP, dim=1)
        power = audio.square().sum(dim=1, keepdim=True) / (counts * HOP)[:, None]
        audio = audio / power.sqrt().clamp(min=1e-6)  # gain says nothing of tempo, key or chords
        inside = mask.repeat_interleave(PER_FRAME, dim=1)

        log_mel = torch.log(self._power(audio, f["window"], ONSET_HOP) @ f["mel"] + LOUD_FLOOR)
        rise = rhythm.onset_strength(log_mel, inside)
        bands = torch.stack([rise[..., a:b].mean(dim=-1) for a, b in BANDS] + [rise.mean(dim=-1)], dim=-1)

        half = f["lowpass"].numel() // 2
        low = functional.pad(audio, (half, half)).unfold(1, f["lowpass"].numel(), DECIMATE) @ f["lowpass"]
        low = low[:, : time * HOP // DECIMATE] * mask.repeat_interleave(HOP // DECIMATE, dim=1)  # the filter rings on
        pitch = self._power(low, f["low_window"], HOP // DECIMATE).sqrt() @ f["pitch"]
        pitch = tonal.whiten(pitch, PER_SEMITONE)
        notes = tonal.semitones(pitch, tonal.tuning_offset(pitch, mask, PER_SEMITONE), PER_SEMITONE)
        chroma = tonal.smooth(tonal.fold(notes, LOWEST, 64.0, 11.0), mask, 5)
        bass = tonal.smooth(tonal.fold(notes, LOWEST, 40.0, 6.0), mask, 5)

        wide = self._clip_wide(rise, bands, inside, chroma, bass, mask)
        framewise = [
            log_mel.view(len(audio), time, PER_FRAME, -1).mean(dim=2),
            bands.view(len(audio), time, PER_FRAME, -1).amax(dim=2),
            tonal.unit(chroma),
            tonal.unit(bass),
            tonal.chord_likeness(chroma, bass, f["chords"], 14.0),
        ]
        out = torch.cat([*framewise, wide[:, None].expand(-1, time, -1)], dim=-1)
        return out * mask[..., None], mask

    def _power(self, signal: Tensor, window: Tensor, hop: int) -> Tensor:
        """Power [B, frames, bins] of windows centred at ``(i + 0.5) * hop``; silence lies around the clip."""
        size = window.numel()
        left = size // 2 - hop // 2
        frames = signal.shape[1] // hop
        padded = functional.pad(signal, (left, max(0, (frames - 1) * hop + size - left - signal.shape[1])))
        cut = padded.unfold(1, size, hop)[:, :frames]
        spectrum = torch.view_as_real(torch.fft.rfft(cut * window))
        return spectrum[..., 0].square().addcmul_(spectrum[..., 1], spectrum[..., 1])

    def _clip_wide(
        self, rise: Tensor, bands: Tensor, inside: Tensor, chroma: Tensor, bass: Tensor, mask: Tensor
    ) -> Tensor:
        """Tempo, meter and key of each clip: [B, features]."""
        f = self._filters
        onset_count, frame_count = f["onset_lags"].shape[0], f["frame_lags"].shape[0]
        smooth = tonal.smooth(bands, inside, 3)
        onset = rhythm.normalised(rhythm.autocorrelation(smooth, inside, onset_count))
        whole = rhythm.autocorrelation(tonal.smooth(rise, inside, 5), inside, onset_count).sum(dim=-1, keepdim=True)
        pitch = torch.cat([tonal.unit(chroma), tonal.unit(bass)], dim=-1)
        change = (pitch - functional.pad(pitch[:, :-4], (0, 0, 4, 0))).abs().mean(dim=-1, keepdim=True) * mask[
            ..., None
        ]
        change[:, :4] = 0
        harmonic = torch.cat(
            [
                rhythm.normalised(rhythm.autocorrelation(change, mask, frame_count)),
                rhythm.normalised(rhythm.autocorrelation(pitch, mask, frame_count).sum(dim=-1, keepdim=True)),
            ],
            dim=-1,
        )
        onset = torch.cat([onset, rhythm.normalised(whole)], dim=-1)
        # low, middle, high, all onsets, whole pattern, harmonic change, pitch content
        acf = torch.cat([onset.transpose(1, 2) @ f["onset_lags"], harmonic.transpose(1, 2) @ f["frame_lags"]], dim=1)
        peaks = torch.cat(
            [rhythm.at_lags(onset[..., 3:], f["onset_peaks"]), rhythm.at_lags(harmonic[..., 1:], f["frame_peaks"])],
            dim=1,
        )
        beat = rhythm.tempo_salience(acf[:, 3], acf[:, 4], PER_OCTAVE, f["lags"])
        meter = rhythm.at_multiples(acf[:, [0, 2, 3, 4, 5, 6]], beat, STEPS)
        real = mask[..., None].float()
        mean_chroma = (chroma * real).sum(dim=1) / real.sum(dim=1)
        mean_bass = (bass * real).sum(dim=1) / real.sum(dim=1)
        return torch.cat(
            [
                tonal.key_likeness(mean_chroma, mean_bass, f["keys"], 10.0),
                peaks[:, 0, PER_OCTAVE:],
                peaks[:, 1, PER_OCTAVE::2],
                peaks[:, 2, PER_OCTAVE::2],
                beat[:, PER_OCTAVE:],
                meter.flatten(1),
            ],
            dim=-1,
        )

    @property
    def needs_fit(self) -> bool:
        """True until statistics are there."""
        return self._mean is None

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Mean and deviation of each feature over all frames of the batches; sums in float64."""
        count = 0
        total, squares = torch.zeros(self.dim, dtype=torch.float64), torch.zeros(self.dim, dtype=torch.float64)
        for audio, lengths in batches:
            features, mask = self.raw(audio, lengths)
            real = features[mask].double().cpu()
            real = real[torch.isfinite(real).all(dim=-1)]
            count += len(real)
            total += real.sum(dim=0)
            squares += real.square().sum(dim=0)
        if not count:
            return
        mean = total / count
        deviation = (squares / count - mean.square()).clamp(min=0).sqrt()
        scale = torch.where(deviation > 1e-6, 1 / deviation.clamp(min=1e-6), 0.0)  # a constant says nothing
        self._set(mean.float(), scale.float())

    @property
    def state(self) -> dict[str, npt.NDArray[Any]]:
        """``mean`` and ``scale``, float32[dim]."""
        if self._mean is None or self._scale is None:
            return {}
        return {"mean": self._mean.cpu().numpy(), "scale": self._scale.cpu().numpy()}

    def load_state(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Take fitted statistics back. Raises InvalidDataError for other shapes and for numbers that cannot be."""
        mean, scale = state.get("mean"), state.get("scale")
        if mean is None or scale is None or mean.shape != (self.dim,) or scale.shape != (self.dim,):
            shapes = {key: value.shape for key, value in state.items()}
            raise InvalidDataError(f"encoder spectral: statistics {shapes} are not mean and scale of [{self.dim}]")
        if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale >= 0).all()):
            raise InvalidDataError("encoder spectral: its statistics hold NaN, infinity or a scale below 0")
        self._set(torch.from_numpy(np.array(mean, np.float32)), torch.from_numpy(np.array(scale, np.float32)))

    def _set(self, mean: Tensor, scale: Tensor) -> None:
        device = self._filters["window"].device if self._filters else "cpu"
        self._mean, self._scale = mean.to(device), scale.to(device)

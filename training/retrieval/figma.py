"""FIGMA in Python: embed clips and captions, compare, search, explain.

>>> figma = Figma.from_pretrained("user/model")                       # doctest: +SKIP
>>> clips = figma.encode_audio(["a.flac", "b.mp3"], view="fused")     # doctest: +SKIP
>>> texts = figma.encode_text(["F minor, 143 BPM, 3/4"], view="fused")  # doctest: +SKIP
>>> figma.similarity(texts, clips, view="fused")                      # doctest: +SKIP
tensor([[0.61, 0.24]])
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.training.data.audio import AudioError, decode, prepare
from fgmcaps.training.data.dataset import AudioRef
from fgmcaps.training.device import choose_device
from fgmcaps.training.encoders.base import AudioEncoder, TextEncoder
from fgmcaps.training.encoders.run import encode_clips, encode_texts
from fgmcaps.training.features.restore import long_audio, restore_audio_encoder, restore_text_encoder
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.model.scores import VIEWS, View
from fgmcaps.training.model.scoring import pad, scoring_mode
from fgmcaps.training.retrieval.embeddings import Embeddings, similarity
from fgmcaps.training.retrieval.explain import Explanation
from fgmcaps.training.retrieval.index import ClipIndex, Hit

Clip = str | Path | npt.NDArray[np.floating] | Tensor
BATCH = 32


class Figma:
    """A trained model with its frozen encoders. Encoders load when they are first needed.

    Args:
        model: The heads.
        audio_encoder, text_encoder: Those that the heads were trained on; not set up yet.
        device: ``cpu``, ``cuda``, ...; default: a GPU where there is one.
    """

    def __init__(
        self, model: FigmaModel, audio_encoder: AudioEncoder, text_encoder: TextEncoder, device: str | None = None
    ) -> None:
        self.device = choose_device(device)
        self.model = model.to(self.device).eval()
        self._audio_encoder, self._text_encoder = audio_encoder, text_encoder
        self._ready: set[str] = set()

    @classmethod
    def from_pretrained(
        cls,
        path_or_id: str | Path,
        revision: str | None = None,
        *,
        device: str | None = None,
        audio_options: Mapping[str, Any] | None = None,
        text_options: Mapping[str, Any] | None = None,
    ) -> "Figma":
        """A model from a folder (the OUT of ``figma train``) or from the Hugging Face Hub (``user/model``).

        Args:
            revision: Branch, tag or commit on the Hub.
            audio_options, text_options: Options of the encoders, e.g. ``{"path": FOLDER}`` for weights on disk.

        Raises FgmcapsError (no such model), InvalidDataError (damaged, or other encoders than in training),
        MachineError (the Hub does not answer).
        """
        from fgmcaps.training.model.hub import fetch_model

        model = FigmaModel.load(fetch_model(path_or_id, revision))
        return cls(
            model, restore_audio_encoder(model, audio_options), restore_text_encoder(model, text_options), device
        )

    @property
    def audio_encoder(self) -> AudioEncoder:
        """The frozen audio encoder, set up."""
        if "audio" not in self._ready:
            self._audio_encoder.setup(self.device)
            self._ready.add("audio")
        return self._audio_encoder

    @property
    def text_encoder(self) -> TextEncoder:
        """The frozen text encoder, set up."""
        if "text" not in self._ready:
            self._text_encoder.setup(self.device)
            self._ready.add("text")
        return self._text_encoder

    @overload
    def encode_audio(
        self, audio: Clip | Sequence[Clip], sample_rate: int | None = None, *, view: Literal["global"] = "global",
        batch_size: int = BATCH,
    ) -> Tensor: ...  # fmt: skip
    @overload
    def encode_audio(
        self, audio: Clip | Sequence[Clip], sample_rate: int | None = None, *, view: Literal["frame", "fused"],
        batch_size: int = BATCH,
    ) -> Embeddings: ...  # fmt: skip
    def encode_audio(
        self,
        audio: Clip | Sequence[Clip],
        sample_rate: int | None = None,
        *,
        view: View = "global",
        batch_size: int = BATCH,
    ) -> Tensor | Embeddings:
        """Embed clips.

        Args:
            audio: Files, or samples float[n] or [n, channels], one or a list of them. Whole files are read; what is
                longer than the encoder takes goes through in windows whose frames are joined.
            sample_rate: Of samples, in Hz; files bring theirs.
            view: ``global`` gives float32[N, d]; ``frame`` and ``fused`` give :class:`Embeddings`, which hold both
            views.

        Raises FgmcapsError naming the file or the place in the list that cannot be used.
        """
        _check_view(view)
        clips = [self._samples(clip, sample_rate, n) for n, clip in enumerate(_listed(audio))]
        frames = encode_clips(self.audio_encoder, clips, batch_size, long_audio(self.model))
        found = self.embed_frames(frames, batch_size)
        return found.global_ if view == "global" else found

    @overload
    def encode_text(
        self, texts: str | Sequence[str], *, view: Literal["global"] = "global", batch_size: int = BATCH
    ) -> Tensor: ...
    @overload
    def encode_text(
        self, texts: str | Sequence[str], *, view: Literal["frame", "fused"], batch_size: int = BATCH
    ) -> Embeddings: ...
    def encode_text(
        self, texts: str | Sequence[str], *, view: View = "global", batch_size: int = BATCH
    ) -> Tensor | Embeddings:
        """Embed captions or queries; ``view`` as in :meth:`encode_audio`. Raises FgmcapsError for an empty text."""
        _check_view(view)
        listed = [texts] if isinstance(texts, str) else list(texts)
        for n, text in enumerate(listed):
            if not text.strip():
                raise FgmcapsError(f"text {n} is empty; say what the music is like")
        found = self.embed_states(encode_texts(self.text_encoder, listed, batch_size), batch_size)
        return found.global_ if view == "global" else found

    def embed_frames(self, frames: Sequence[Tensor], batch_size: int = BATCH) -> Embeddings:
        """Embed what the audio encoder, or a feature cache, gives: N tensors float[T_i, d_audio]."""
        parts = []
        with scoring_mode(self.model) as device:
            for start in range(0, len(frames), batch_size):
                x, mask = pad(frames[start : start + batch_size])
                parts.append(self.model.audio_views(x.to(device), mask.to(device)))
        return Embeddings.of("audio", parts)

    def embed_states(self, states: Sequence[Tensor], batch_size: int = BATCH) -> Embeddings:
        """Embed what the text encoder, or a feature cache, gives: N tensors float[L_i, d_text]."""
        parts = []
        with scoring_mode(self.model) as device:
            for start in range(0, len(states), batch_size):
                x, mask = pad(states[start : start + batch_size])
                parts.append(self.model.text_views(x.to(device), mask.to(device)))
        return Embeddings.of("text", parts)

    def similarity(self, a: Embeddings | Tensor, b: Embeddings | Tensor, *, view: View | None = None) -> Tensor:
        """Scores float32[len(a), len(b)] of clips against captions, or of captions against clips.

        ``view``: default ``global`` for tensors and ``fused`` for :class:`Embeddings`. Raises FgmcapsError where a side
        lacks the view.
        """
        if view is None:
            view = "fused" if isinstance(a, Embeddings) and isinstance(b, Embeddings) else "global"
        _check_view(view)
        return similarity(a, b, view, self.model.config.alpha)

    def search(self, text: str, index: ClipIndex, *, top: int = 10, view: View = "fused") -> list[Hit]:
        """The ``top`` clips of an index for a query, the best first."""
        _check_view(view)
        query = self.encode_text([text], view="fused")
        return index.search(query, top=top, view=view, alpha=self.model.config.alpha)

    def explain(self, text: str, clip: Clip, sample_rate: int | None = None) -> Explanation:
        """Take the frame score of a caption and a clip apart: frame x token similarities, with seconds and tokens."""
        return self.explain_embedded(text, self.encode_audio([clip], sample_rate, view="fused"))

    def explain_embedded(self, text: str, clip: Embeddings) -> Explanation:
        """:meth:`explain` for a clip that is embedded already."""
        query = self.encode_text([text], view="fused")
        frames, tokens = clip.frames[0], query.frames[0]
        pieces = self.text_encoder.pieces([text])[0][: len(tokens)]
        step = self.model.config.frame_stride / self.audio_encoder.frame_rate
        scores = {str(view): float(self.similarity(clip[0], query, view=view)) for view in VIEWS}
        return Explanation(
            text=text,
            tokens=tuple(pieces),
            seconds=np.arange(len(frames)) * step,
            frame_seconds=step,
            similarity=(frames @ tokens.T).float().numpy(),
            scores=scores,
        )

    def _samples(self, clip: Clip, sample_rate: int | None, place: int) -> npt.NDArray[np.float32]:
        rate = self.audio_encoder.sample_rate
        try:
            if isinstance(clip, str | Path):
                if not Path(clip).is_file():
                    raise FgmcapsError(f"{clip}: no such file")
                return decode(AudioRef(None, Path(clip), 0.0, 0.0), rate)
            if sample_rate is None:
                raise FgmcapsError("samples need their sample_rate in Hz")
            samples = clip.numpy() if isinstance(clip, Tensor) else np.asarray(clip)
            return prepare(samples, sample_rate, rate)
        except AudioError as error:
            name = clip if isinstance(clip, str | Path) else f"clip {place}"
            raise FgmcapsError(f"{name}: {error}") from None


def _listed(audio: Clip | Sequence[Clip]) -> list[Clip]:
    if isinstance(audio, str | Path | np.ndarray | Tensor):
        return [audio]
    return list(audio)


def _check_view(view: str) -> None:
    if view not in VIEWS:
        raise FgmcapsError(f"no such view: {view}{did_you_mean(view, VIEWS)}; views are {', '.join(VIEWS)}")

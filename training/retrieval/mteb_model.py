"""Run MTEB's retrieval tasks on a FIGMA model, by any of its scores.

>>> import mteb                                                                # doctest: +SKIP
>>> model = FigmaSearch(Figma.from_pretrained("user/model"), view="fused")     # doctest: +SKIP
>>> mteb.evaluate(model, mteb.get_tasks(["FGMCapsT2ARetrieval", "FGMCapsA2TRetrieval"]))  # doctest: +SKIP

It implements MTEB's ``SearchProtocol``, not its ``EncoderProtocol``: the frame score is no product of two vectors. MTEB
is not needed by the rest of the project; install it to use this module.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.training.data.audio import AudioError, decode
from fgmcaps.training.data.dataset import AudioRef
from fgmcaps.training.model.scores import View
from fgmcaps.training.retrieval.figma import Figma

if TYPE_CHECKING:
    from datasets import Dataset

_BLOCK = 32


class FigmaSearch:
    """A model as MTEB's tasks call it.

    Args:
        figma: The model.
        view: Score to rank by.
        name: What results are filed under, ``organisation/model``.
        revision: Commit of the model, for the same.
        batch_size: Clips that are decoded and scored at a time.

    Raises MachineError where MTEB is not installed.
    """

    def __init__(
        self,
        figma: Figma,
        view: View = "fused",
        name: str = "local/figma",
        revision: str | None = None,
        batch_size: int = _BLOCK,
    ) -> None:
        try:
            from mteb.models.model_meta import ModelMeta
        except ImportError as error:
            raise MachineError(f"MTEB is not installed ({error}); pip install mteb") from None
        self.figma, self.view, self.batch_size = figma, view, batch_size
        self._corpus: Dataset | None = None
        config = figma.model.config
        self.mteb_model_meta = ModelMeta(
            loader=None,
            name=f"{name}-{view}",
            revision=revision or "local",
            release_date=None,
            languages=["eng-Latn"],
            n_parameters=sum(p.numel() for p in figma.model.parameters()),
            memory_usage_mb=None,
            max_tokens=config.max_tokens,
            embed_dim=config.head_out,
            license=None,
            open_weights=True,
            public_training_code=None,
            public_training_data=None,
            framework=["PyTorch"],
            similarity_fn_name=None,
            use_instructions=False,
            training_datasets=None,
            modalities=["text", "audio"],
        )

    def index(self, corpus: "Dataset", **_: Any) -> None:
        """Take the corpus: columns ``id`` and ``text`` or ``audio``. It is embedded while it is searched."""
        self._corpus = corpus

    def search(self, queries: "Dataset", *, top_k: int, **_: Any) -> dict[str, dict[str, float]]:
        """The ``top_k`` documents of each query: query id -> document id -> score.

        Raises FgmcapsError where not one side is text and the other audio, and for a clip that cannot be decoded.
        """
        if self._corpus is None:
            raise FgmcapsError("index() comes before search()")
        corpus = self._corpus
        sides = ("audio" in queries.column_names, "audio" in corpus.column_names)
        if sides[0] == sides[1]:
            raise FgmcapsError(f"need text against audio, got columns {queries.column_names} and {corpus.column_names}")
        audio, text = (queries, corpus) if sides[0] else (corpus, queries)
        matrix = self._matrix(audio, text)
        scores = matrix if sides[0] else matrix.T
        documents = [str(i) for i in corpus["id"]]
        out = {}
        for query, row in zip(queries["id"], scores, strict=True):
            best = np.argsort(-row, kind="stable")[:top_k]
            out[str(query)] = {documents[n]: float(row[n]) for n in best}
        return out

    def _matrix(self, audio: "Dataset", text: "Dataset") -> npt.NDArray[np.float32]:
        """float32[clips, captions]; clips stream through in blocks."""
        from datasets import Audio

        captions = self.figma.encode_text(list(text["text"]), view="fused")
        clips = audio.cast_column("audio", Audio(decode=False))
        out = np.empty((len(clips), len(captions)), np.float32)
        for start in range(0, len(clips), self.batch_size):
            rows = clips[start : start + self.batch_size]
            samples = [self._decoded(c, str(i)) for c, i in zip(rows["audio"], rows["id"], strict=True)]
            found = self.figma.encode_audio(samples, self.figma.audio_encoder.sample_rate, view="fused")
            out[start : start + len(samples)] = self.figma.similarity(found, captions, view=self.view).numpy()
        return out

    def _decoded(self, cell: dict[str, Any], clip: str) -> npt.NDArray[np.float32]:
        from pathlib import Path

        path = Path(cell["path"]) if cell.get("bytes") is None and cell.get("path") else None
        try:
            return decode(AudioRef(cell.get("bytes"), path, 0.0, 0.0), self.figma.audio_encoder.sample_rate)
        except AudioError as error:
            raise FgmcapsError(f"clip {clip}: {error}") from None

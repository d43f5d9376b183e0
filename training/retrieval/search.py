"""Make a search index of a dataset's clips, and search a dataset or an index."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.features.for_model import features_for_model
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.retrieval.embeddings import Embeddings
from fgmcaps.training.retrieval.figma import Figma
from fgmcaps.training.retrieval.index import EXACT_BELOW, ClipIndex, ClipInfo, is_index

_BLOCK = 256

Stage = Callable[[str, int, int], None]


def model_digest(model: FigmaModel) -> str:
    """16 hex digits over sizes, encoders and weights: equal for models that embed alike."""
    digest = hashlib.sha256(model.config.model_dump_json(exclude={"temperature", "dropout"}).encode())
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:16]


def index_rows(figma: Figma, cache: FeatureCache, rows: npt.NDArray[np.int64], stage: Stage | None = None) -> ClipIndex:
    """An index of the clips of ``rows``; from 2,000 clips on it is quantised."""
    parts = []
    for start in range(0, len(rows), _BLOCK):
        parts.append(figma.embed_frames([cache.audio(int(i)) for i in rows[start : start + _BLOCK]]))
        if stage is not None:
            stage("embedding", min(start + _BLOCK, len(rows)), len(rows))
    clips = [clip_info(cache, int(i)) for i in rows]
    index = ClipIndex.of(Embeddings.join(parts), clips, model_digest(figma.model))
    return index if len(index) < EXACT_BELOW else index.quantise()


def clip_info(cache: FeatureCache, i: int) -> ClipInfo:
    """What a result shows of a row."""
    row = cache.row(i)
    return ClipInfo(row.id, row.track_id, row.start_s, row.captions[0][1])


def open_index(
    figma: Figma,
    model: str,
    source: str,
    split: str = "all",
    cache: Path | None = None,
    *,
    workers: int = 1,
    stage: Stage | None = None,
) -> ClipIndex:
    """The index in the folder ``source``, or one made of the dataset ``source``.

    ``model``: the model as the user named it. Raises InvalidDataError for an index of another model, and what
    ``load_rows``, ``build_cache`` and the encoders raise.
    """
    if is_index(source):
        index = ClipIndex.open(source)
        if index.model != model_digest(figma.model):
            raise InvalidDataError(
                f"{source}: an index of another model; make it again with `figma encode {model} DATA`"
            )
        if index.frames.shape[1] != figma.model.config.head_out:
            raise InvalidDataError(f"{source}: damaged index (vectors of {index.frames.shape[1]} numbers)")
        return index
    say: Stage = stage or (lambda what, done, total: None)
    found, rows = features_for_model(
        figma.model, model, source, split, cache, device=figma.device, workers=workers,
        report=lambda what, done, total: say(f"features, {what}", done, total),
    )  # fmt: skip
    return index_rows(figma, found, rows, stage)

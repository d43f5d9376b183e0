"""What a training refuses, and what it says when it cannot go on."""

import numpy as np
import torch
from torch import Tensor

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, NothingToDoError
from fgmcaps.common.progress import Progress
from fgmcaps.training.data.batch import Batch
from fgmcaps.training.data.sampler import Ints
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.settings import TrainSettings


def check_training_rows(cache: FeatureCache, rows: Ints, settings: TrainSettings) -> None:
    """Raise NothingToDoError or FgmcapsError when no row has a negative."""
    where = f"the train split of {cache.folder}"
    if len(rows) < 2:
        raise NothingToDoError(f"{where} has {len(rows)} usable rows; contrastive training needs at least 2")
    if settings.mask_same_track and len(np.unique(cache.track[rows])) == 1:
        raise FgmcapsError(
            f"all {len(rows)} rows of {where} are of one track, so that none has a negative; "
            "add tracks, or --set mask_same_track=false"
        )
    texts = {cache.caption_id(int(row), k) for row in rows for k in range(int(cache.caption_count[row]))}
    if settings.mask_same_caption and len(texts) == 1:
        raise FgmcapsError(f"all {len(rows)} rows of {where} have one caption, so that none has a negative")


def rows_to_train_on(cache: FeatureCache, settings: TrainSettings, log: Progress) -> Ints:
    """The usable rows of the train split whose captions state ``min_facts`` facts; says how many others there are.

    Raises NothingToDoError where only others are left.
    """
    rows = cache.rows("train")
    stating = rows[cache.states(settings.min_facts)[rows]]
    if len(stating) < len(rows):
        left = len(rows) - len(stating)
        log.say(f"{left:,} of {len(rows):,} training clips are left out: their captions state too little (min_facts)")
    if len(rows) and not len(stating):
        raise NothingToDoError(
            f"none of {len(rows)} training captions states {settings.min_facts} facts; --set min_facts=0 trains on "
            "all, `fgmcaps refilter` keeps more labels"
        )
    return stating


def check_finite_loss(
    loss: Tensor, model: FigmaModel, batch: Batch, cache: FeatureCache, epoch: int, step: int, settings: TrainSettings
) -> None:
    """Raise InvalidDataError that names epoch, step and the rows to blame when the loss is NaN or infinite."""
    if bool(torch.isfinite(loss)):
        return
    where = f"the loss is {float(loss)} at epoch {epoch}, step {step + 1}"
    bad = _rows_where_not_finite(batch.audio, batch.audio_mask) | _rows_where_not_finite(batch.text, batch.text_mask)
    if bool(bad.any()):
        names = _names(batch, bad, cache)
        raise InvalidDataError(f"{where}: features of {names} are not finite; `figma cache DATA FOLDER --check`")
    broken = [name for name, p in model.named_parameters() if not bool(torch.isfinite(p).all())]
    what = f"weights such as {broken[0]} are not finite" if broken else "features and weights are finite"
    everything = _names(batch, torch.ones_like(bad), cache)
    raise InvalidDataError(
        f"{where}: {what}; lower learning_rate ({settings.learning_rate}), set clip_norm, or take precision fp32 "
        f"(batch: {everything})"
    )


def out_of_memory(error: BaseException) -> bool:
    """True for the ways in which memory runs out, on a GPU and on a CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(sign in str(error) for sign in ("out of memory", "can't allocate memory"))


def _rows_where_not_finite(x: Tensor, mask: Tensor) -> Tensor:
    return (~torch.isfinite(x).all(-1) & mask).any(1)


def _names(batch: Batch, which: Tensor, cache: FeatureCache, show: int = 5) -> str:
    rows = batch.row[which].tolist()
    named = ", ".join(f"{cache.ids[row]} (row {row})" for row in rows[:show])
    return f"{named} and {len(rows) - show} more" if len(rows) > show else named

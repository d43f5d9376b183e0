"""The features of DATA for a trained model: those of its training where they are at hand, else computed."""

import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, NothingToDoError
from fgmcaps.training.data.dataset import load_rows
from fgmcaps.training.features.build import Report, build_cache
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.features.restore import Options, long_audio, restore_audio_encoder, restore_text_encoder
from fgmcaps.training.model.model import FigmaModel

ALL = "all"


def features_for_model(
    model: FigmaModel,
    name: str,
    data: str,
    split: str,
    cache: Path | None = None,
    *,
    device: str = "cpu",
    workers: int = 1,
    audio_options: Options | None = None,
    text_options: Options | None = None,
    report: Report | None = None,
) -> tuple[FeatureCache, npt.NDArray[np.int64]]:
    """Features of DATA by the encoders of ``model``, and the usable rows of ``split`` (``all``: of every split).

    Args:
        name: The model as the user named it: a folder, or ``user/model``.
        cache: Where the features of all of DATA are or will be. None: beside a local model, those of its training if
        they
            are of DATA, else those of the split alone, computed once.

    Raises what ``load_rows``, ``build_cache`` and the encoders raise; NothingToDoError where the split has no usable
    row.
    """
    audio, text = restore_audio_encoder(model, audio_options), restore_text_encoder(model, text_options)

    def build(folder: Path, only: str | None) -> FeatureCache:
        return build_cache(
            load_rows(data, only), audio, text, folder,
            device=device, workers=workers, long=long_audio(model), report=report,
        )  # fmt: skip

    only = None if split == ALL else split
    load_rows(data, only)  # a wrong DATA or split is said first
    if cache is not None:
        found = build(cache, None)
    else:
        trained = Path(f"{name}.features")
        own = has_rows_of(trained, data)
        try:
            found = build(trained, None) if own else build(own_folder(name, data, split), only)
        except InvalidDataError:
            if not own:
                raise
            found = build(own_folder(name, data, split), only)  # the same clips with other captions or audio
    rows = found.rows(only)
    if not len(rows):
        raise NothingToDoError(f"{data}: no usable row in the split {split}; see {found.folder / 'skipped.jsonl'}")
    return found, rows


def has_rows_of(folder: Path, data: str) -> bool:
    """True where a finished cache has the clips of DATA, by their ids: hashing all audio to find out takes long."""
    if not (folder / "cache.json").is_file():
        return False
    return FeatureCache.open(folder).ids == load_rows(data).ids


def own_folder(name: str, data: str, split: str) -> Path:
    """Where features go that have no other place: beside a local model, else in the user's cache folder."""
    place = str(Path(data).resolve()) if Path(data).exists() else data
    key = hashlib.sha256(f"{name}\0{place}\0{split}".encode()).hexdigest()[:8]
    if Path(name).is_dir():
        return Path(f"{Path(name)}.features-{key}")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "figma" / f"{name.replace('/', '--')}-{key}"


def sample_rows(rows: npt.NDArray[np.int64], pool: int | None, seed: int) -> npt.NDArray[np.int64]:
    """``pool`` of the rows, drawn with ``seed``, ascending; all of them for None. FgmcapsError where there are
    fewer."""
    if pool is None:
        return rows
    if pool > len(rows):
        raise FgmcapsError(f"--pool {pool}: there are {len(rows)} usable clips")
    return np.sort(np.random.default_rng(seed).choice(rows, pool, replace=False))

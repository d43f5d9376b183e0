"""The features of DATA for a trained model: those of its training where they are at hand, else computed."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgmcaps.common.caches import cache_folder, may_write
from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError, NothingToDoError
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
    found = build(cache, None) if cache is not None else _first_that_fits(name, data, split, only, build)
    rows = found.rows(only)
    if not len(rows):
        raise NothingToDoError(f"{data}: no usable row in the split {split}; see {found.folder / 'skipped.jsonl'}")
    return found, rows


def has_rows_of(folder: Path, data: str) -> bool:
    """True where a finished cache has the clips of DATA, by their ids: hashing all audio to find out takes long."""
    if not (folder / "cache.json").is_file():
        return False
    return FeatureCache.open(folder).ids == load_rows(data).ids


def _first_that_fits(
    name: str, data: str, split: str, only: str | None, build: Callable[[Path, str | None], FeatureCache]
) -> FeatureCache:
    """Features in the first place that has them or may take them."""
    trained = Path(f"{name}.features")
    if has_rows_of(trained, data):
        try:
            return build(trained, None)
        except (InvalidDataError, MachineError) as error:  # the same clips with other captions or audio
            if isinstance(error, MachineError) and may_write(trained):
                raise
    places = own_folders(name, data, split)
    for folder in places[:-1]:
        with suppress(InvalidDataError, MachineError):  # somebody else's, and not of this data
            return build(folder, only)
    return build(places[-1], only)


def own_folders(name: str, data: str, split: str) -> list[Path]:
    """Where features go that have no other place: beside a local model, else in the user's cache folder.

    Beside a model of another owner they are only read, where they are finished: then the list holds both, and the last
    one may be written. Raises MachineError where no folder can be.
    """
    place = str(Path(data).resolve()) if Path(data).exists() else data
    key = hashlib.sha256(f"{name}\0{place}\0{split}".encode()).hexdigest()[:8]
    found = []
    if Path(name).is_dir():
        beside = Path(f"{Path(name)}.features-{key}")
        if may_write(beside):
            return [beside]
        if (beside / "cache.json").is_file():
            found = [beside]
        name = str(Path(name).resolve())
    base = cache_folder()
    if base is None:
        raise MachineError(f"no folder for the features of {data} can be written; give one by --cache")
    return [*found, base / "figma" / f"{name.strip('/').replace('/', '--')[-100:]}-{key}"]


def sample_rows(rows: npt.NDArray[np.int64], pool: int | None, seed: int) -> npt.NDArray[np.int64]:
    """``pool`` of the rows, drawn with ``seed``, ascending; all of them for None. FgmcapsError where there are
    fewer."""
    if pool is None:
        return rows
    if pool > len(rows):
        raise FgmcapsError(f"--pool {pool}: there are {len(rows)} usable clips")
    return np.sort(np.random.default_rng(seed).choice(rows, pool, replace=False))

"""The feature cache: frozen features of a dataset on disk, and any batch of them at once.

A cache is a folder: ``audio/`` and ``text/`` (stores, see ``fgmcaps.training.features.store``), ``rows.parquet`` (ids,
splits, captions, labels), ``encoder.safetensors`` (statistics fitted on the training split, where the encoder has
any),
``skipped.jsonl`` and, written last, ``cache.json``. ``fgmcaps.training.features.build`` fills it.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.json_file import read_json
from fgmcaps.training.data.batch import Batch
from fgmcaps.training.data.dataset import COLUMN_TYPES, FACT_COLUMNS, Row, row_of
from fgmcaps.training.features.store import FeatureStore, StoreKey

FORMAT = 1


class FeatureCache:
    """Features of all rows of a dataset, in the dataset's order (that of ``load_rows`` of the same data).

    Rows without usable audio or caption keep their place but have no features: :meth:`rows` leaves them out.
    """

    def __init__(self, folder: Path) -> None:
        """Use :meth:`open`."""
        self.folder = folder
        meta = _read_meta(folder)
        self.fingerprint: str = str(meta["fingerprint"])
        """SHA-256 over the keys of both stores: encoders, revisions, settings, dtype and data."""
        self.audio_store, self.text_store = FeatureStore(folder / "audio"), FeatureStore(folder / "text")
        self.table = _read_table(folder / "rows.parquet", len(self.audio_store))
        self.ids: list[str] = self.table["id"].to_pylist()
        self.splits: list[str] = self.table["split"].to_pylist()
        """Split of each row."""
        self.track: npt.NDArray[np.int64] = np.array([number_of(t) for t in self.table["track_id"].to_pylist()])
        """Number of each row's track, the same in every cache."""
        captions = [[c["text"] for c in row] for row in self.table["captions"].to_pylist()]
        self._captions = captions
        self.caption_count: npt.NDArray[np.int64] = np.array([len(row) for row in captions], dtype=np.int64)
        """Captions of each row."""
        self._first_caption = np.cumsum(self.caption_count) - self.caption_count
        self._caption_ids = np.array([caption_number(t) for row in captions for t in row], dtype=np.int64)
        if len(self.audio_store) != len(self.ids) or len(self.text_store) != len(self._caption_ids):
            raise InvalidDataError(f"{folder}: its parts do not belong together; delete the folder and build it again")
        self.usable: npt.NDArray[np.bool_] = (self.audio_store.lengths > 0) & (self.caption_count > 0)
        """Rows that have both features."""

    @classmethod
    def open(cls, folder: str | Path) -> "FeatureCache":
        """Open a finished cache. Raises InvalidDataError (missing, unfinished, damaged, of another version)."""
        return cls(Path(folder))

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, split: str | None = None) -> npt.NDArray[np.int64]:
        """Usable rows of a split (None: of all), ascending."""
        chosen = self.usable if split is None else self.usable & (np.array(self.splits) == split)
        return np.flatnonzero(chosen)

    def states(self, least: int) -> npt.NDArray[np.bool_]:
        """bool[rows]: whether a row's caption states ``least`` facts (:meth:`Row.states`)."""
        names = [name for name in FACT_COLUMNS if name in self.table.column_names]
        plain = {"id": "", "captions": (), "split": "", "track_id": ""}
        rows = self.table.select(names).to_pylist()
        return np.array([row_of(plain | cells).states(least) for cells in rows], dtype=bool)

    def row(self, i: int) -> Row:
        """Identity, captions and labels of a row."""
        cells = self.table.slice(i, 1).to_pylist()[0]
        captions = tuple((c["style"], c["text"]) for c in cells.pop("captions"))
        plain = row_of(cells)
        return Row(**{name: getattr(plain, name) for name in Row.__slots__ if name != "captions"}, captions=captions)

    def audio(self, i: int) -> Tensor:
        """Frames of a row: float32[T, d_audio]. Raises InvalidDataError for a row that was skipped."""
        return self._audio(i).float()

    def text(self, i: int, k: int = 0) -> Tensor:
        """Token states of the k-th caption of a row: float32[L, d_text]."""
        return self._text(i, k).float()

    def caption(self, i: int, k: int = 0) -> str:
        """The k-th caption of a row; 0 is the main one."""
        text: str = self._captions[i][k]
        return text

    def caption_id(self, i: int, k: int = 0) -> int:
        """Number of a caption's text: equal for equal texts, whatever their spacing, in every cache."""
        return int(self._caption_ids[self._caption_item(i, k)])

    def batch(
        self,
        rows: Sequence[int] | npt.NDArray[np.int64],
        caption: int | Sequence[int] = 0,
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        """Rows with one caption each (its number for all, or one number a row), padded to the longest of the batch.

        ``dtype``: float32, or the half precision of the cache, which halves what goes to a GPU (convert it there).

        Raises InvalidDataError for a row that was skipped or a damaged file, FgmcapsError for a missing caption.
        """
        chosen = [int(i) for i in rows]
        which = [caption] * len(chosen) if isinstance(caption, int) else [int(k) for k in caption]
        audio, audio_mask = _pad([self._audio(i) for i in chosen], dtype)
        text, text_mask = _pad([self._text(i, k) for i, k in zip(chosen, which, strict=True)], dtype)
        return Batch(
            audio=audio,
            audio_mask=audio_mask,
            text=text,
            text_mask=text_mask,
            row=torch.tensor(chosen, dtype=torch.int64),
            track=torch.from_numpy(self.track[chosen]),
            caption=torch.tensor([self.caption_id(i, k) for i, k in zip(chosen, which, strict=True)]),
        )

    @cached_property
    def encoder_state(self) -> dict[str, npt.NDArray[Any]]:
        """Fitted statistics of the audio encoder, to be saved with a model; empty where it has none."""
        return read_state(self.folder / "encoder.safetensors")

    @property
    def audio_key(self) -> StoreKey:
        """Encoder, revision, settings, width and dtype of the audio features."""
        return self.audio_store.key

    @property
    def text_key(self) -> StoreKey:
        """Encoder, revision, settings, width and dtype of the text features."""
        return self.text_store.key

    def _audio(self, i: int) -> Tensor:
        if not self.audio_store.lengths[i]:
            raise InvalidDataError(f"{self.folder}: row {i} ({self.ids[i]}) was skipped: see skipped.jsonl there")
        return self.audio_store[i]

    def _text(self, i: int, k: int) -> Tensor:
        return self.text_store[self._caption_item(i, k)]

    def _caption_item(self, i: int, k: int) -> int:
        if not 0 <= k < self.caption_count[i]:
            raise FgmcapsError(f"row {i} ({self.ids[i]}) has {self.caption_count[i]} captions, no number {k}")
        return int(self._first_caption[i]) + k


def _pad(items: Sequence[Tensor], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """``dtype``[B, longest, dim] (0 after each end) and bool[B, longest] of half-precision items [n_i, dim]."""
    lengths = torch.tensor([len(item) for item in items])
    longest = int(lengths.max()) if len(items) else 0
    out = torch.empty(len(items), longest, items[0].shape[1] if items else 0, dtype=dtype)
    for line, item in zip(out, items, strict=True):
        line[: len(item)].copy_(item)
        line[len(item) :].zero_()
    return out, torch.arange(longest)[None, :] < lengths[:, None]


def number_of(text: str) -> int:
    """A text as a number in 0 .. 2^63 - 1: equal texts, equal numbers."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def caption_number(text: str) -> int:
    """Number of a caption. Spacing and Unicode form do not count; case does (``CM7`` is not ``Cm7``)."""
    return number_of(" ".join(unicodedata.normalize("NFC", text).split()))


def read_state(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Fitted statistics from a safetensors file; empty where there is none. Raises InvalidDataError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        return {}
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise InvalidDataError(f"{path}: no safetensors file ({error}); delete the folder {path.parent}") from None


def _read_meta(folder: Path) -> dict[str, Any]:
    path = folder / "cache.json"
    if not path.is_file():
        raise InvalidDataError(f"{folder}: no finished feature cache; run `figma cache DATA {folder}`")
    try:
        meta: dict[str, Any] = read_json(path)
        version = meta["format"]
        meta["fingerprint"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InvalidDataError(f"{path}: damaged ({error}); run `figma cache DATA {folder}` again") from None
    if version != FORMAT:
        raise InvalidDataError(
            f"{path}: a cache of format {version}, this program reads {FORMAT}; delete the folder and build it again"
        )
    return meta


def _read_table(path: Path, rows: int) -> pa.Table:
    """The light columns of ``rows`` rows. Raises InvalidDataError for other types, numbers and missing values."""
    try:
        file = pq.ParquetFile(path)
        if file.metadata.num_rows != rows:
            raise ValueError(f"{file.metadata.num_rows} rows, and features of {rows}")
        table = file.read()
        for place, name in enumerate(table.column_names):
            if name in COLUMN_TYPES:
                table = table.set_column(place, name, table[name].cast(COLUMN_TYPES[name]))
        for name in ("id", "track_id", "split", "captions"):
            if table[name].null_count:
                raise ValueError(f"column {name} has {table[name].null_count} rows without a value")
        if any(caption is None or caption["text"] is None for row in table["captions"].to_pylist() for caption in row):
            raise ValueError("a caption has no text")
        return table
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        line = " ".join(str(error).split())[:200]
        raise InvalidDataError(f"{path}: damaged ({line}); run `figma cache DATA {path.parent}` again") from None

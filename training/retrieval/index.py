"""Search many clips: exact, or by quantised frames with exact scores for the best.

The frame score of a query sums over a clip's frames, not over the query's tokens, so indexes for ColBERT do not apply.
With every frame replaced by the nearest of K centroids, S = sum_k hist_k * max_l <centroid_k, token_l>: one K x L
product a query and one sparse product with the clips' histograms. It is exhaustive over the clips and exact for the
quantised frames; the best ``rescore`` clips are scored again with their exact frames.

An index is a folder: ``index.safetensors`` (both views in half precision, centroids, histograms), ``rows.parquet``
(what is known of each clip) and, written last, ``index.json``.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.json_file import read_json
from fgmcaps.training.model.model import read_tensors
from fgmcaps.training.model.scores import View
from fgmcaps.training.retrieval.embeddings import Embeddings

FORMAT = "figma-index/1"
RESCORE = 300
EXACT_BELOW = 2000
"""Fewer clips than this are always searched exactly: it takes milliseconds."""
_FIT_FRAMES = 100_000
_BLOCK = 1 << 16

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What a result shows of a clip."""

    id: str
    track_id: str = ""
    start_s: float = 0.0
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result: its place from 1, its score, and the clip (``row``: its place in the index)."""

    place: int
    score: float
    row: int
    clip: ClipInfo

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "place": self.place,
            "score": round(self.score, 6),
            "id": self.clip.id,
            "track_id": self.clip.track_id,
            "start_s": self.clip.start_s,
            "caption": self.clip.caption,
        }


@dataclass(frozen=True)
class Quantised:
    """``centroids``: float32[K, d]; ``histogram``: N x K, the share of a clip's frames at each centroid."""

    centroids: Floats
    histogram: csr_matrix


@dataclass(frozen=True)
class ClipIndex:
    """Embedded clips to search in.

    ``global_``: float16[N, d]; ``frames``: float16[all frames, d]; ``ends``: int64[N], where each clip's frames end.
    ``model``: what the embeddings came from; another model's queries are refused by the caller who knows its own name.
    """

    clips: tuple[ClipInfo, ...]
    global_: Tensor
    frames: Tensor
    ends: Ints
    model: str = ""
    quantised: Quantised | None = None

    def __len__(self) -> int:
        return len(self.clips)

    @classmethod
    def of(cls, embeddings: Embeddings, clips: Sequence[ClipInfo], model: str = "") -> "ClipIndex":
        """An index of embedded clips. Raises FgmcapsError for captions, for no clip, and where the numbers differ."""
        if embeddings.kind != "audio" or len(embeddings) != len(clips) or not len(clips):
            raise FgmcapsError(
                f"an index needs one embedded clip a row: {len(embeddings)} {embeddings.kind}, {len(clips)} rows"
            )
        ends = np.cumsum([len(f) for f in embeddings.frames])
        return cls(
            tuple(clips), embeddings.global_.half(), torch.cat([f.half() for f in embeddings.frames]), ends, model
        )

    def quantise(self, clusters: int = 1024, seed: int = 0) -> "ClipIndex":
        """The same index with centroids (k-means over at most 100,000 frames) and histograms."""
        from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]

        total = len(self.frames)
        clusters = max(1, min(clusters, total // 8))
        rng = np.random.default_rng(seed)
        sample = np.sort(rng.choice(total, min(total, _FIT_FRAMES), replace=False))
        means = MiniBatchKMeans(clusters, random_state=seed, n_init=1, batch_size=4096)
        means.fit(self.frames[torch.from_numpy(sample)].float().numpy())
        centroids = means.cluster_centers_.astype(np.float32)
        table, offset = torch.from_numpy(centroids), torch.from_numpy((centroids**2).sum(axis=1) / 2)
        blocks = (self.frames[start : start + _BLOCK].float() for start in range(0, total, _BLOCK))
        nearest = torch.cat([(block @ table.T - offset).argmax(1) for block in blocks]).numpy()
        counts = np.diff(self.ends, prepend=0)
        clip = np.repeat(np.arange(len(self)), counts)
        share = (1.0 / counts)[clip].astype(np.float32)
        histogram = csr_matrix((share, (clip, nearest)), shape=(len(self), clusters), dtype=np.float32)
        histogram.sum_duplicates()
        return ClipIndex(self.clips, self.global_, self.frames, self.ends, self.model, Quantised(centroids, histogram))

    def exact_scores(self, query: Embeddings, view: View, alpha: float, rows: Ints | None = None) -> Floats:
        """Scores float32[queries, clips] of ``rows`` (None: all). ``query``: embedded texts."""
        whole = self._global_scores(query, rows) if view != "frame" else None
        if view == "global" and whole is not None:
            return whole
        frame = self._frame_scores(query, rows)
        return frame if whole is None else np.asarray(alpha * whole + (1 - alpha) * frame, dtype=np.float32)

    def approximate_scores(self, query: Embeddings, view: View, alpha: float) -> Floats:
        """Scores float32[queries, clips] by quantised frames; the global part is exact. Needs :meth:`quantise`."""
        whole = self._global_scores(query, None) if view != "frame" else None
        if view == "global" and whole is not None:
            return whole
        if self.quantised is None:
            raise FgmcapsError("this index is not quantised: build it anew with `figma encode`")
        best = np.stack([(self.quantised.centroids @ t.float().numpy().T).max(axis=1) for t in query.frames])
        frame = np.asarray((self.quantised.histogram @ best.T).T, dtype=np.float32)
        return frame if whole is None else np.asarray(alpha * whole + (1 - alpha) * frame, dtype=np.float32)

    def search(
        self,
        query: Embeddings,
        *,
        top: int = 10,
        view: View = "fused",
        alpha: float = 0.6,
        exact: bool | None = None,
        rescore: int = RESCORE,
    ) -> list[Hit]:
        """The ``top`` clips for one embedded text, the best first; equal scores in the order of the index.

        ``exact`` None: exact for few clips or where the index is not quantised.
        """
        if query.kind != "text" or len(query) != 1:
            raise FgmcapsError("search takes one embedded text at a time")
        if exact is None:
            exact = self.quantised is None or len(self) < EXACT_BELOW or view == "global"
        if exact:
            rows, scores = np.arange(len(self)), self.exact_scores(query, view, alpha)[0]
        else:
            rough = self.approximate_scores(query, view, alpha)[0]
            wanted = min(len(self), max(rescore, top))
            rows = np.sort(np.argpartition(-rough, wanted - 1)[:wanted])
            scores = self.exact_scores(query, view, alpha, rows)[0]
        order = np.argsort(-scores, kind="stable")[:top]
        return [
            Hit(place + 1, float(scores[n]), int(rows[n]), self.clips[int(rows[n])]) for place, n in enumerate(order)
        ]

    def clip(self, row: int) -> Embeddings:
        """One clip's embeddings."""
        start = int(self.ends[row - 1]) if row else 0
        return Embeddings(
            "audio", self.global_[row : row + 1].float(), (self.frames[start : int(self.ends[row])].float(),)
        )

    def _global_scores(self, query: Embeddings, rows: Ints | None) -> Floats:
        clips = self.global_ if rows is None else self.global_[torch.from_numpy(rows)]
        return (query.global_.float() @ clips.float().T).numpy()

    def _frame_scores(self, query: Embeddings, rows: Ints | None) -> Floats:
        counts = np.diff(self.ends, prepend=0)
        if rows is None:
            frames, ends = self.frames, self.ends
        else:
            starts, counts = self.ends[rows] - counts[rows], counts[rows]
            ends = np.cumsum(counts)
            chosen = np.arange(int(ends[-1])) + np.repeat(starts - (ends - counts), counts)
            frames = self.frames[torch.from_numpy(chosen)]
        tokens = torch.cat([t.float() for t in query.frames]).T
        sizes = [len(t) for t in query.frames]
        best = torch.empty(len(sizes), len(frames))
        for start in range(0, len(frames), _BLOCK):
            sims = frames[start : start + _BLOCK].float() @ tokens
            for q, part in enumerate(torch.split(sims, sizes, dim=1)):
                best[q, start : start + _BLOCK] = part.amax(1)
        sums = np.add.reduceat(best.numpy(), ends - counts, axis=1, dtype=np.float64)
        return (sums / counts).astype(np.float32)

    def save(self, folder: str | Path) -> None:
        """Write the index folder; it is complete when ``index.json`` is there."""
        from safetensors.torch import save

        folder = Path(folder)
        (folder / "index.json").unlink(missing_ok=True)
        tensors = {"global": self.global_, "frames": self.frames, "ends": torch.from_numpy(self.ends)}
        if self.quantised is not None:
            histogram = self.quantised.histogram
            tensors |= {
                "centroids": torch.from_numpy(self.quantised.centroids),
                "shares": torch.from_numpy(histogram.data),
                "columns": torch.from_numpy(histogram.indices.astype(np.int64)),
                "pointers": torch.from_numpy(histogram.indptr.astype(np.int64)),
            }
        write_atomically(folder / "index.safetensors", save(tensors, metadata={"format": FORMAT}))
        table, buffer = (
            pa.table({name: [getattr(c, name) for c in self.clips] for name in ClipInfo.__slots__}),
            io.BytesIO(),
        )
        pq.write_table(table, buffer, compression="zstd")
        write_atomically(folder / "rows.parquet", buffer.getvalue())
        meta = {"format": FORMAT, "clips": len(self), "model": self.model}
        write_atomically(folder / "index.json", (json.dumps(meta, indent=1) + "\n").encode())

    @classmethod
    def open(cls, folder: str | Path) -> "ClipIndex":
        """Read an index folder. Raises FgmcapsError where there is none and InvalidDataError for a damaged one."""
        folder = Path(folder)
        if not (folder / "index.json").is_file():
            raise FgmcapsError(f"{folder}: no search index there; make one with `figma encode MODEL DATA {folder}`")
        try:
            meta = read_json(folder / "index.json")
            if meta["format"] != FORMAT:
                raise ValueError(f"format {meta['format']}, this program reads {FORMAT}")
            model = str(meta["model"])
            found = read_tensors(folder / "index.safetensors")
            clips = _read_clips(folder / "rows.parquet", len(found["ends"]))
            _check_parts(found)
            quantised = None
            if "centroids" in found:
                parts = (found["shares"].numpy(), found["columns"].numpy(), found["pointers"].numpy())
                histogram = csr_matrix(parts, shape=(len(clips), len(found["centroids"])))
                histogram.check_format(full_check=True)  # a column too high would be read from beyond the memory
                quantised = Quantised(found["centroids"].numpy(), histogram)
        except (OSError, ValueError, KeyError, TypeError, IndexError, InvalidDataError, pa.ArrowException) as error:
            line = " ".join(str(error).split())[:200]
            raise InvalidDataError(f"{folder}: damaged index ({line}); make it again with `figma encode`") from None
        return cls(clips, found["global"], found["frames"], found["ends"].numpy(), model, quantised)


def _read_clips(path: Path, clips: int) -> tuple[ClipInfo, ...]:
    file = pq.ParquetFile(path)
    if file.metadata.num_rows != clips:
        raise ValueError("its parts do not belong together")
    kinds = {"id": pa.string(), "track_id": pa.string(), "start_s": pa.float64(), "caption": pa.string()}
    table = file.read(columns=list(kinds)).select(list(kinds)).cast(pa.schema(kinds))
    if any(column.null_count for column in table.columns):
        raise ValueError("rows.parquet has empty cells")
    return tuple(ClipInfo(**row) for row in table.to_pylist())


def _check_parts(found: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the tensors of an index have the types and sizes that belong together."""
    ends, frames, whole = found["ends"], found["frames"], found["global"]
    width, kinds = frames.shape[-1], {"global": torch.float16, "frames": torch.float16, "ends": torch.int64}
    kinds |= {"centroids": torch.float32, "shares": torch.float32, "columns": torch.int64, "pointers": torch.int64}
    for name, tensor in found.items():
        if tensor.dtype != kinds.get(name):
            raise ValueError(f"{name} is {tensor.dtype}")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds NaN or infinity")
    if not (frames.ndim == whole.ndim == 2 and ends.ndim == 1 and whole.shape == (len(ends), width)):
        raise ValueError("its parts do not belong together")
    counts = torch.diff(ends, prepend=torch.zeros(1, dtype=torch.int64))
    if not len(ends) or int(ends.min()) < 1 or int(counts.min()) < 1 or int(ends[-1]) != len(frames):
        raise ValueError("its parts do not belong together")
    if "centroids" in found and (found["centroids"].ndim != 2 or found["centroids"].shape[1] != width):
        raise ValueError("its centroids are of another width")


def is_index(folder: str | Path) -> bool:
    """True where a folder holds a finished index."""
    return (Path(folder) / "index.json").is_file()

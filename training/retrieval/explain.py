"""Explain a score: which token does each moment of a clip answer to?"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.common.files import write_atomically

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The frame score of one clip and one caption, taken apart.

    - ``similarity``: float32[T, L], cosine of every frame and every token; ``tokens``: L strings
    - ``seconds``: float64[T], where each frame begins in the clip; ``frame_seconds``: how long it is
    - ``scores``: by view
    """

    text: str
    tokens: tuple[str, ...]
    seconds: Floats
    frame_seconds: float
    similarity: Floats
    scores: dict[str, float]

    @property
    def best_token(self) -> npt.NDArray[np.int64]:
        """int64[T]: the token that each frame counts with."""
        return np.asarray(self.similarity.argmax(axis=1), dtype=np.int64)

    @property
    def token_share(self) -> Floats:
        """float64[L], summing to 1: share of the frames that count with each token."""
        return np.bincount(self.best_token, minlength=len(self.tokens)) / len(self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: scores, the share of each token, the best token of each frame, and the whole matrix."""
        best = self.best_token
        return {
            "text": self.text,
            "scores": self.scores,
            "tokens": [
                {"token": token, "share": round(float(share), 4), "mean": round(float(mean), 4)}
                for token, share, mean in zip(self.tokens, self.token_share, self.similarity.mean(axis=0), strict=True)
            ],
            "frames": [
                {"seconds": round(float(at), 3), "token": int(token), "similarity": round(float(value), 4)}
                for at, token, value in zip(self.seconds, best, self.similarity.max(axis=1), strict=True)
            ],
            "similarity": np.round(self.similarity, 4).tolist(),
        }

    def draw(self, path: str | Path) -> Path:
        """Write the heat map as PNG: tokens upwards, time to the right, the best token of each frame marked."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 1.6 + 0.22 * len(self.tokens)), layout="constrained")
        FigureCanvasAgg(figure)
        heat, share = figure.subplots(1, 2, width_ratios=(6, 1), sharey=True)
        end = float(self.seconds[-1]) + self.frame_seconds
        image = heat.imshow(
            self.similarity.T, aspect="auto", origin="lower", cmap="viridis", interpolation="nearest",
            extent=(float(self.seconds[0]), end, -0.5, len(self.tokens) - 0.5),
        )  # fmt: skip
        heat.scatter(self.seconds + self.frame_seconds / 2, self.best_token, s=3, c="white", linewidths=0)
        names = [printable(token) for token in self.tokens]
        heat.set_yticks(range(len(names)), names, fontsize=8)
        heat.set_xlabel("seconds")
        heat.set_title(", ".join(f"{view} {value:.3f}" for view, value in self.scores.items()), fontsize=9)
        figure.colorbar(image, ax=heat, label="cosine", pad=0.01)
        share.barh(range(len(names)), self.token_share, color="0.5")
        share.set_xlabel("share of frames")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
        write_atomically(Path(path), buffer.getvalue())
        return Path(path)


def printable(token: str) -> str:
    """A token for a label: word marks of the tokenizers as a space, mathematics of matplotlib off."""
    return token.replace("▁", "_").replace("$", r"\$")

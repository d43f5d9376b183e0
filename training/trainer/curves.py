"""Loss and recall of a run as a picture."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgmcaps.common.files import write_atomically

_VIEWS = {"global": "#4477aa", "frame": "#ee6677", "fused": "#228833"}


def write_curves(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """PNG of the losses and of R@10 by view (solid: text to audio, dashed: audio to text) against epochs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    losses, recalls = figure.subplots(1, 2)
    epochs = [entry["epoch"] for entry in history]
    for key, label in (("loss", "total"), ("loss_global", "global"), ("loss_frame", "frame")):
        losses.plot(epochs, [entry[key] for entry in history], label=label, marker=".")
    losses.set(xlabel="epoch", ylabel="training loss")
    losses.legend()
    for view, color in _VIEWS.items():
        for direction, style in (("t2a", "-"), ("a2t", "--")):
            key = f"{view}/{direction}/R@10"
            points = [(e["epoch"], 100 * e["validation"][key]) for e in history if key in e["validation"]]
            if points:
                x, y = zip(*points, strict=True)
                recalls.plot(x, y, style, color=color, label=f"{view} {direction}", marker=".")
    recalls.set(xlabel="epoch", ylabel="validation R@10, %")
    if recalls.lines:
        recalls.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": ""})
    write_atomically(path, buffer.getvalue())

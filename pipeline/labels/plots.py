"""Accuracy over coverage, and reliability diagrams, as small PNGs."""

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from fgmcaps.annotators.evaluation import AttributeResult, coverage_curve, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 90


def coverage_plot(results: Mapping[str, Mapping[str, AttributeResult]]) -> bytes:
    """Accuracy of the labels kept, over the share of clips that keep one: one panel an attribute, one line a system."""
    attributes = list(next(iter(results.values())))

    def draw(axes: "Axes", attribute: str) -> None:
        for name, found in results.items():
            r = found.get(attribute)
            if r is None:
                continue
            if r.confidence:
                curve = coverage_curve(np.array(r.confidence), np.array(r.score), r.clips)
                axes.plot(curve.coverage, curve.accuracy, label=name, linewidth=1.3)
            else:  # a system without confidences is a point
                axes.plot([1.0], [r.accuracy], "o", label=name, markersize=4)
        axes.axhline(0.95, color="grey", linewidth=0.6, linestyle=":")
        axes.set(xlim=(0, 1.02), ylim=(min(0.5, axes.get_ylim()[0]), 1.01), xlabel="coverage", title=attribute)
        axes.legend(fontsize=6, loc="lower left")

    return _panels(attributes, draw)


def reliability_plot(found: Mapping[str, AttributeResult], name: str) -> bytes:
    """Mean score over mean confidence in bins of equal numbers of clips; on the diagonal a confidence is true."""

    def draw(axes: "Axes", attribute: str) -> None:
        r = found[attribute]
        axes.plot([0, 1], [0, 1], color="grey", linewidth=0.6, linestyle=":")
        if r.confidence:
            bins = reliability(np.array(r.confidence), np.array(r.score))
            spread = 1.96 * np.sqrt(np.clip(bins.score * (1 - bins.score), 0, None) / bins.count)
            axes.errorbar(bins.confidence, bins.score, yerr=spread, fmt="o-", markersize=3, linewidth=1, capsize=2)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=f"confidence ({name})", title=attribute)

    return _panels([a for a, r in found.items() if r.confidence], draw)


def _panels(attributes: list[str], draw: Callable[["Axes", str], None]) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(mpl.rcParamsDefault), mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(2.6 * len(attributes), 2.6), dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        for i, attribute in enumerate(attributes):
            draw(figure.add_subplot(1, len(attributes), i + 1), attribute)
        data = io.BytesIO()
        figure.savefig(data, format="png", metadata={"Software": ""})
    return data.getvalue()

"""Pictures of an evaluation: recall curves, hubs, truncation, perturbation."""

import io
from collections.abc import Callable
from typing import Any

from fgmcaps.training.evaluation.report_build import EvaluationReport

COLOURS = {"global": "#4c72b0", "frame": "#dd8452", "fused": "#55a868"}
GREY = "0.6"


def pictures(report: EvaluationReport) -> dict[str, bytes]:
    """PNG files by name; those whose data the report has."""
    out = {"recall.png": _png(lambda f: _recall(f, report), 9, 3.6)}
    if report.truncation:
        out["truncation.png"] = _png(lambda f: _truncation(f, report), 9, 3.6)
    if report.perturbation:
        out["perturbation.png"] = _png(lambda f: _perturbation(f, report), 7, 3.6)
    return out


def _png(draw: Callable[[Any], None], width: float, height: float) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _recall(figure: Any, report: EvaluationReport) -> None:
    axes = figure.subplots(1, 2, sharey=True)
    for axis, direction, name in zip(axes, ("t2a", "a2t"), ("text to audio", "audio to text"), strict=True):
        found = [d for d in report.directions if d.direction == direction]
        for d in found:
            ks = list(d.curve)
            axis.plot(ks, [100 * v for v in d.curve.values()], color=COLOURS[d.view], label=d.view, marker=".", ms=4)
        size = found[0].candidates
        ks = [k for k in found[0].curve if k <= size]
        axis.plot(ks, [100 * k / size for k in ks], color=GREY, ls="--", label="chance")
        axis.set(xscale="log", xlabel="K", ylim=(0, 100), title=f"{name}, {size:,} candidates")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("R@K, %")
    axes[0].legend(frameon=False)


def _truncation(figure: Any, report: EvaluationReport) -> None:
    axes = figure.subplots(1, 2, sharey=True)
    ks = [p.k for p in report.truncation]
    for axis, part, title in zip(axes, ("recall", "long_recall"), ("all", "longest quarter"), strict=True):
        for view in dict.fromkeys(d.view for d in report.directions):
            values = [100 * getattr(p, part)[f"{view}/t2a/R@10"] for p in report.truncation]
            axis.plot(ks, values, color=COLOURS[view], label=view, marker=".")
        axis.set(xlabel="tokens kept", title=f"text to audio, {title}")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("R@10, %")
    axes[0].set_ylim(bottom=0)  # after both are drawn: they share the axis
    axes[0].legend(frameon=False, fontsize=8)
    share = axes[0].twinx()
    share.plot(ks, [100 * p.longer for p in report.truncation], color=GREY, ls=":")
    share.set(ylim=(0, 105), ylabel="captions that are cut (dotted), %")


def _perturbation(figure: Any, report: EvaluationReport) -> None:
    axis = figure.subplots()
    attributes = list(dict.fromkeys(row.attribute for row in report.perturbation))
    views = list(dict.fromkeys(row.view for row in report.perturbation))
    width = 0.8 / len(views)
    for n, view in enumerate(views):
        rows = {row.attribute: row for row in report.perturbation if row.view == view}
        places = [i - 0.4 + (n + 0.5) * width for i, a in enumerate(attributes) if a in rows]
        means = [100 * rows[a].wins.mean for a in attributes if a in rows]
        low = [100 * max(0.0, rows[a].wins.mean - max(0.0, rows[a].wins.low)) for a in attributes if a in rows]
        high = [100 * max(0.0, min(1.0, rows[a].wins.high) - rows[a].wins.mean) for a in attributes if a in rows]
        axis.bar(places, means, width, yerr=(low, high), color=COLOURS[view], label=view, error_kw={"lw": 1})
    axis.axhline(50, color=GREY, ls="--")
    axis.set_xticks(range(len(attributes)), attributes)
    axis.set(ylim=(0, 100), ylabel="original scores higher, %")
    axis.legend(frameon=False, fontsize=8)

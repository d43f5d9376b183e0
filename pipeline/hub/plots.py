"""Pictures of the statistics for the card: small PNG files, the same bytes for the same statistics and library."""

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fgmcaps.pipeline.dataset.stats import Histogram, Stats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOP_BARS = 12
_COLOUR = "#31688e"
_SIZE = (4.5, 3.0)
_DPI = 100
_BOX = (0.27, 0.16, 0.68, 0.73)  # left, bottom, width, height: room for names of 18 letters


def draw_plots(stats: Stats) -> dict[str, tuple[str, bytes]]:
    """``{file name: (what it shows, PNG bytes)}``. The user's own Matplotlib settings are not read."""
    pictures: dict[str, tuple[str, Callable[[Axes], None]]] = {
        "tempo.png": ("Tempo in beats per minute", lambda axes: _histogram(axes, stats.tempo, "BPM")),
        "key.png": ("Keys", lambda axes: _bars(axes, stats.key)),
        "meter.png": ("Time signatures", lambda axes: _bars(axes, stats.time_signature)),
        "chords.png": ("Most frequent chords", lambda axes: _bars(axes, stats.chords)),
        "coverage.png": ("Share of clips that have the attribute", lambda axes: _shares(axes, stats.coverage)),
        "confidence.png": ("Confidence by attribute", lambda axes: _lines(axes, stats.confidences)),
    }
    return {name: (title, _png(title, paint)) for name, (title, paint) in pictures.items()}


def _png(title: str, paint: Callable[["Axes"], None]) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["text.parse_math"] = False  # names come from users, and a $ is a $
        figure = Figure(figsize=_SIZE, dpi=_DPI)
        axes = figure.add_axes(_BOX)
        paint(axes)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        out = io.BytesIO()
        FigureCanvasAgg(figure)
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _histogram(axes: "Axes", histogram: Histogram, unit: str) -> None:
    edges = histogram.edges
    axes.bar(edges[:-1], histogram.counts, width=edges[1] - edges[0], align="edge", color=_COLOUR, edgecolor="white")
    axes.set_xlabel(unit, fontsize=8)
    axes.set_ylabel("clips", fontsize=8)


def _bars(axes: "Axes", counts: Mapping[str, int]) -> None:
    shown = list(counts.items())[:TOP_BARS][::-1]
    axes.barh(range(len(shown)), [count for _, count in shown], color=_COLOUR)
    axes.set_yticks(range(len(shown)), [_short(name) for name, _ in shown])


def _shares(axes: "Axes", shares: Mapping[str, float]) -> None:
    shown = list(shares.items())[::-1]
    axes.barh(range(len(shown)), [share for _, share in shown], color=_COLOUR)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown])
    axes.set_xlim(0, 1)


def _lines(axes: "Axes", histograms: Mapping[str, Histogram]) -> None:
    for name, histogram in histograms.items():
        axes.stairs(histogram.counts, histogram.edges, label=name)
    axes.set_xlabel("confidence", fontsize=8)
    axes.set_ylabel("clips", fontsize=8)
    axes.legend(fontsize=7, frameon=False)


def _short(name: str) -> str:
    """A label that the bundled font can draw: other scripts would be boxes."""
    text = "".join(letter if letter.isprintable() and ord(letter) < 0x0530 else "?" for letter in name)
    return text if len(text) <= 18 else f"{text[:17]}…"

"""The one-attribute perturbation table: which attributes does a model really use?

Conventions
-----------
- For each attribute the main captions of a pool are replaced by
  :func:`fgmcaps.training.evaluation.perturbation.perturb`, where that can
  be done, and encoded anew. Figures are over those clips alone (``clips``), the original captions' figures over the
  same clips stand beside them: a table whose rows had different clips could not be read down.
- ``original`` and ``perturbed``: A2T R@K, as in the paper. A model that uses the attribute falls.
- ``wins``: share of clips that score their own caption higher than its perturbed form; a tie counts half, chance is
  0.5. It does not depend on how the rest of the pool looks, so it is the sharper figure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fgmcaps.schemas import Facts
from fgmcaps.schemas.music import tempo_marking
from fgmcaps.training.data.dataset import Row
from fgmcaps.training.evaluation.bootstrap import Interval, Paired, interval, paired
from fgmcaps.training.evaluation.evaluate import Features, Pool, Scores, check_finite, ranks_of
from fgmcaps.training.evaluation.metrics import hits
from fgmcaps.training.evaluation.perturbation import ATTRIBUTES, perturb
from fgmcaps.training.model.frame_score import BUDGET_MB
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.model.scores import VIEWS, View
from fgmcaps.training.model.scoring import Progress, embed_texts, score

CUTOFFS = (1, 5, 10)

Encode = Callable[[Sequence[str]], Sequence[Tensor]]
"""Token states float[L_i, d_text] of texts."""


@dataclass(frozen=True, slots=True)
class PerturbationRow:
    """One attribute in one view. ``original`` and ``perturbed``: ``R@K`` -> share in 0 .. 1 over the same ``clips``.

    ``fall``: the paired test of original against perturbed R@1 and of R@5, and so on, by cutoff.
    """

    view: str
    attribute: str
    clips: int
    of: int
    original: dict[str, float]
    perturbed: dict[str, float]
    fall: dict[str, Paired]
    wins: Interval


def facts_of_row(row: Row) -> Facts:
    """What a row's caption may state, rounded as captions round it."""
    bpm = None if row.tempo_bpm is None else round(row.tempo_bpm)
    return Facts(
        tempo_bpm=bpm,
        tempo_marking=None if bpm is None else tempo_marking(bpm),
        time_signature=row.time_signature,
        key=row.key,
        chords=row.chord_summary,
    )


def perturbation_table(
    model: FigmaModel,
    cache: Features,
    pool: Pool,
    rows: Sequence[Row],
    encode: Encode,
    *,
    views: Sequence[View] = VIEWS,
    attributes: Sequence[str] = ATTRIBUTES,
    budget_mb: float = BUDGET_MB,
    progress: Progress | None = None,
) -> list[PerturbationRow]:
    """The table of a pool with one caption a clip, without the attributes that nobody states. ``rows``: its A rows.

    Raises ValueError for a pool of several captions a clip.
    """
    if len(pool.owner) != len(pool.rows):
        raise ValueError("the perturbation table needs a pool of main captions: one a clip")
    original = [cache.text(int(i), 0) for i in pool.rows]
    changed = [(a, n, text) for a in attributes for n, text in _perturbed(rows, a)]
    texts = [*original, *encode([text for _, _, text in changed])] if changed else original
    scores = score(model, cache, pool.rows, embed_texts(model, texts), views, budget_mb=budget_mb, progress=progress)
    out = []
    for view, matrix in scores.items():
        base, rest = matrix[:, : len(original)], matrix[:, len(original) :]
        check_finite(base, pool)
        for attribute in attributes:
            columns = np.array([c for c, (a, _, _) in enumerate(changed) if a == attribute], np.int64)
            if len(columns):
                clips = np.array([changed[c][1] for c in columns], np.int64)
                out.append(_row(view, attribute, base, rest[:, columns], clips, pool))
    return out


def _perturbed(rows: Sequence[Row], attribute: str) -> list[tuple[int, str]]:
    """``(place in the pool, perturbed caption)`` of the clips whose main caption can be changed."""
    made = ((n, perturb(row.captions[0][1], facts_of_row(row), attribute, row.id)) for n, row in enumerate(rows))
    return [(n, found.text) for n, found in made if found is not None]


def _row(
    view: View, attribute: str, base: Scores, changed: Scores, clips: npt.NDArray[np.int64], pool: Pool
) -> PerturbationRow:
    replaced = base.copy()
    replaced[:, clips] = changed
    before, after = ranks_of(base, pool, "a2t"), ranks_of(replaced, pool, "a2t")
    tracks = pool.track[clips]
    own, other = base[clips, clips], changed[clips, np.arange(len(clips))]
    wins = np.where(own == other, 0.5, own > other)
    original = {f"R@{k}": hits(before, k)[clips] for k in CUTOFFS}
    perturbed = {f"R@{k}": hits(after, k)[clips] for k in CUTOFFS}
    return PerturbationRow(
        view=view,
        attribute=attribute,
        clips=len(clips),
        of=len(pool.rows),
        original={k: float(v.mean()) for k, v in original.items()},
        perturbed={k: float(v.mean()) for k, v in perturbed.items()},
        fall={k: paired(original[k], perturbed[k], tracks) for k in original},
        wins=interval(wins, tracks),
    )

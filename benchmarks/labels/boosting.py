"""Boosted trees fitted so that no style family is judged by a model that has seen it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from benchmarks.labels.trees import trees_of
from fgmcaps.annotators.fusion.features import Row
from fgmcaps.annotators.fusion.scorer import Trees, rounded

Floats = npt.NDArray[np.float64]
FOLDS = 5
SEED = 0


@dataclass(frozen=True)
class Boosting:
    """Hyper-parameters of an ensemble; ``rising`` names features in which the score never falls."""

    trees: int = 70
    rate: float = 0.1
    leaves: int = 6
    min_leaf: int = 25
    l2: float = 3.0
    share: float = 0.4
    rising: tuple[str, ...] = ()


CONFIDENCE = Boosting(trees=40, rate=0.15, leaves=4, min_leaf=15, l2=1.0, share=0.6)
"""Of the small ensembles that judge what was chosen."""


class Columns:
    """Names of features as they turn up; rows become tables whose columns are those known so far."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    def table(self, rows: Sequence[Row]) -> Floats:
        """float64[rows, features known so far], NaN where a row lacks one."""
        for row in rows:
            for name in row:
                self.index.setdefault(name, len(self.index))
        return np.array([[row.get(name, nan) for name in self.index] for row in rows]).reshape(len(rows), -1)

    def select(self, table: Floats, names: Sequence[str]) -> Floats:
        """The named columns of a table made when fewer may have been known; NaN for those that still are not."""
        wide = np.full((len(table), len(self.index)), nan)
        wide[:, : table.shape[1]] = table
        found = np.full((len(table), len(names)), nan)
        for place, name in enumerate(names):
            if name in self.index:
                found[:, place] = wide[:, self.index[name]]
        return found


@dataclass
class Examples:
    """Tables of rows with a target in 0 .. 1 (a share counts as that much right), a weight and the family."""

    columns: Columns = field(default_factory=Columns)
    tables: list[Floats] = field(default_factory=list)
    target: list[float] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    group: list[str] = field(default_factory=list)

    def add(self, table: Floats, target: Sequence[float], group: str, weight: Sequence[float] | float = 1.0) -> None:
        """Rows of one clip, as ``columns`` made them."""
        if len(target) == 0:
            return
        self.tables.append(table)
        self.target += list(target)
        self.weight += [weight] * len(target) if isinstance(weight, float) else list(weight)
        self.group += [group] * len(target)

    def all(self) -> Floats:
        """One table of all rows and all features."""
        return np.concatenate([self.columns.select(t, list(self.columns.index)) for t in self.tables])


def fit_json(
    examples: Examples, settings: Boosting, rows: npt.NDArray[np.intp] | None = None, table: Floats | None = None
) -> dict[str, object]:
    """An ensemble on all examples (or ``rows`` of them; ``table``: their table, if it is made already), as JSON.

    A target between 0 and 1 enters as both classes, weighted.
    """
    table = rounded(examples.all()) if table is None else table
    target, weight = np.asarray(examples.target), np.asarray(examples.weight)
    if rows is not None:
        table, target, weight = table[rows], target[rows], weight[rows]
    names = list(examples.columns.index)
    varies = np.array([np.unique(c[~np.isnan(c)][:5000]).size > 1 for c in table.T])
    names, table = [n for n, v in zip(names, varies, strict=True) if v], table[:, varies]
    yes, no = weight * target, weight * (1 - target)
    truth = np.concatenate([np.ones(int((yes > 0).sum())), np.zeros(int((no > 0).sum()))])
    model = HistGradientBoostingClassifier(
        max_iter=settings.trees,
        learning_rate=settings.rate,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.min_leaf,
        l2_regularization=settings.l2,
        max_features=settings.share,
        monotonic_cst=[int(name in settings.rising) for name in names],
        early_stopping=False,
        random_state=SEED,
    )
    both = np.concatenate([table[yes > 0], table[no > 0]])
    model.fit(both, truth, sample_weight=np.concatenate([yes[yes > 0], no[no > 0]]))
    return trees_of(model, names)


def out_of_fold(examples: Examples, settings: Boosting, folds: int = FOLDS) -> list[tuple[set[str], Trees]]:
    """Ensembles of all but a part of the families: pairs of the families left out and the ensemble."""
    groups, table = np.asarray(examples.group), rounded(examples.all())
    splits = GroupKFold(folds, shuffle=True, random_state=SEED).split(table, groups=groups)
    return [
        (set(groups[held].tolist()), Trees.from_json(fit_json(examples, settings, train, table)))
        for train, held in splits
    ]

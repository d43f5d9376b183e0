"""Boosted trees fitted so that no style family is judged by a model that has seen it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from annotators.fusion.evidence import Row, table_of
from annotators.fusion.scorer import Trees, rounded
from benchmarks.labels.trees import trees_of

Floats = npt.NDArray[np.float64]
FOLDS = 4
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


@dataclass
class Examples:
    """Rows with a target in 0 .. 1 (a share counts as that much right), a weight and the family."""

    rows: list[Row] = field(default_factory=list)
    target: list[float] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    group: list[str] = field(default_factory=list)

    def add(self, row: Row, target: float, group: str, weight: float = 1.0) -> None:
        """One more example."""
        self.rows.append(row)
        self.target.append(target)
        self.weight.append(weight)
        self.group.append(group)


def features_of(rows: Sequence[Row]) -> list[str]:
    """Names of the features that vary over the rows, in a fixed order."""
    names = sorted({name for row in rows for name in row})
    table = table_of(rows, names)
    varies = [len(np.unique(column[~np.isnan(column)])) > 1 for column in table.T]
    return [name for name, keep in zip(names, varies, strict=True) if keep]


def fit(examples: Examples, settings: Boosting) -> Trees:
    """An ensemble on all examples. A target between 0 and 1 enters as both classes, weighted."""
    return Trees.from_json(fit_json(examples, settings))


def fit_json(examples: Examples, settings: Boosting) -> dict[str, object]:
    """As :func:`fit`, as JSON."""
    names = features_of(examples.rows)
    table = rounded(table_of(examples.rows, names))
    target, weight = np.asarray(examples.target), np.asarray(examples.weight)
    both = np.concatenate([table, table])
    truth = np.concatenate([np.ones(len(table)), np.zeros(len(table))])
    weights = np.concatenate([weight * target, weight * (1 - target)])
    used = weights > 0
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
    model.fit(both[used], truth[used], sample_weight=weights[used])
    return trees_of(model, names)


def out_of_fold(examples: Examples, settings: Boosting, folds: int = FOLDS) -> list[tuple[set[str], Trees]]:
    """Ensembles of all but a fifth of the families: pairs of the families left out and the ensemble."""
    groups = np.asarray(examples.group)
    splits = GroupKFold(folds, shuffle=True, random_state=SEED).split(examples.rows, groups=groups)
    found = []
    for train, held in splits:
        part = Examples(
            *(
                [column[i] for i in train]
                for column in (examples.rows, examples.target, examples.weight, examples.group)
            )
        )
        found.append((set(groups[held].tolist()), fit(part, settings)))
    return found

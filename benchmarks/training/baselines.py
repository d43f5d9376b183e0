"""Trained models against chance and the linear map on the same test clips: recall with intervals and paired tests.

    python -m benchmarks.training.baselines CACHE OUT [--config small] [--alpha 1 0 0.6] [--seeds 1] [--pool 1000]

CACHE is a finished feature cache (`figma cache`). Models go to OUT and are kept: run again, it only prints.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from fgmcaps.training.evaluation import bootstrap, metrics
from fgmcaps.training.evaluation.baselines import clip_features, fit_linear_map, random_scores
from fgmcaps.training.evaluation.evaluate import Pool, make_pool, ranks_of, score_pool
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.model.scores import VIEWS
from fgmcaps.training.settings import load_settings
from fgmcaps.training.trainer.run import validation_rows
from fgmcaps.training.trainer.trainer import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", default="small")
    parser.add_argument("--set", dest="pairs", action="append", default=[])
    parser.add_argument("--alpha", type=float, nargs="+", default=[1.0, 0.0, 0.6])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--pool", type=int, default=1000)
    given = parser.parse_args()

    cache = FeatureCache.open(given.cache)
    settings = load_settings(given.config, pairs=given.pairs)
    rows = cache.rows("test")
    if len(rows) > given.pool:
        rows = np.sort(np.random.default_rng(0).choice(rows, given.pool, replace=False))
    pool = make_pool(cache, rows)
    print(f"{machine()}")
    print(
        f"{len(cache.rows('train'))} training clips; pool of {len(rows)} test clips, {100 * pool.same_caption:.1f} % of"
    )
    print(f"captions occur more than once; chance R@10 {1000 / len(rows):.2f} %")

    values: dict[str, dict[str, np.ndarray]] = {"random": recall(random_scores(len(rows), len(rows)), pool)}
    fitted, ridge = fit_linear_map(cache, cache.rows("train"), validation_rows(cache, settings))
    texts = [cache.caption(int(row)) for row in rows]
    values[f"linear map (ridge {ridge:g})"] = recall(fitted.scores(clip_features(cache, rows), texts), pool)
    linear = values[f"linear map (ridge {ridge:g})"]
    for alpha in given.alpha:
        for seed in range(given.seeds):
            out = given.out / f"alpha{alpha:g}-seed{seed}"
            wanted = load_settings(given.config, {"alpha": alpha, "seed": seed}, given.pairs)
            if alpha in (0.0, 1.0):  # a view that was not trained cannot choose the epoch
                view = "frame" if alpha == 0 else "global"
                wanted = wanted.model_copy(update={"monitor": f"{view}/{wanted.monitor.partition('/')[2]}"})
            train(wanted, cache, out)
            scores = score_pool(FigmaModel.load(out), cache, pool)
            for view_name in VIEWS:
                values[f"alpha {alpha:g}, seed {seed}, {view_name}"] = recall(scores[view_name], pool)

    print("| model | T2A R@1 | T2A R@10 (95 %) | A2T R@10 (95 %) | T2A R@10 over the linear map, p |")
    print("|---|---|---|---|---|")
    for name, found in values.items():
        t2a, a2t = (bootstrap.interval(found[f"{d}/R@10"], pool.track) for d in ("t2a", "a2t"))
        test = bootstrap.paired(found["t2a/R@10"], linear["t2a/R@10"], pool.track)
        print(
            f"| {name} | {found['t2a/R@1'].mean():.1%} | {t2a.mean:.1%} ({t2a.low:.1%} to {t2a.high:.1%}) | "
            f"{a2t.mean:.1%} ({a2t.low:.1%} to {a2t.high:.1%}) | {100 * test.difference:+.1f} points, {test.p:.4f} |"
        )


def recall(scores: np.ndarray, pool: Pool) -> dict[str, np.ndarray]:
    """Hits of every query in both directions."""
    out = {}
    for direction in metrics.DIRECTIONS:
        for name, each in metrics.per_query(ranks_of(scores, pool, direction)).items():
            out[f"{direction}/{name}"] = np.asarray(each)
    return out


if __name__ == "__main__":
    main()

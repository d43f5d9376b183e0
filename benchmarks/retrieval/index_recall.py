"""The quantised search index against exact search, on a trained model: how many of the exact first 10 are found?

python -m benchmarks.retrieval.index_recall MODEL DATA [--split all] [--queries 300] [--centroids 256 1024 4096]

Queries are captions of the data (other styles than the main one where there are any). For each number of centroids and
of rescored clips: recall of the exact first 10 with its 95 % interval over queries, the rank correlation of rough and
exact scores, and processor time a query.
"""

import argparse
import time

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.machine import machine
from fgmcaps.training.evaluation.bootstrap import interval
from fgmcaps.training.features.for_model import features_for_model
from fgmcaps.training.retrieval.embeddings import Embeddings
from fgmcaps.training.retrieval.figma import Figma
from fgmcaps.training.retrieval.index import ClipIndex
from fgmcaps.training.retrieval.search import clip_info

TOP = 10


def main() -> None:
    """Print one line of figures for each setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--split", default="all")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--centroids", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--rescore", type=int, nargs="+", default=[10, 30, 100, 300])
    parser.add_argument("--view", choices=("frame", "fused"), default="frame")
    a = parser.parse_args()
    torch.set_num_threads(1)
    figma = Figma.from_pretrained(a.model, device="cpu")
    cache, rows = features_for_model(figma.model, a.model, a.data, a.split)
    alpha = figma.model.config.alpha
    clips = figma.embed_frames([cache.audio(int(i)) for i in rows])
    index = ClipIndex.of(clips, [clip_info(cache, int(i)) for i in rows])
    rng = np.random.default_rng(0)
    chosen = rng.choice(rows, min(a.queries, len(rows)), replace=False)
    queries = figma.embed_states([cache.text(int(i), min(1, int(cache.caption_count[i]) - 1)) for i in chosen])
    exact, seconds = timed(lambda q: index.exact_scores(q, a.view, alpha)[0], queries)
    print(machine())
    print(f"{len(index):,} clips, {len(index.frames):,} frames, {len(queries)} queries, view {a.view}; "
          f"exact: {1000 * seconds:.1f} ms a query")  # fmt: skip
    best = np.argsort(-exact, axis=1, kind="stable")[:, :TOP]
    for k in a.centroids:
        started = time.process_time()
        quantised = index.quantise(k)
        built = time.process_time() - started
        rough, seconds = timed(lambda q, i=quantised: i.approximate_scores(q, a.view, alpha)[0], queries)
        agree = np.mean([spearmanr(x, y).statistic for x, y in zip(rough, exact, strict=True)])
        order = np.argsort(-rough, axis=1, kind="stable")
        print(f"{k} centroids: built in {built:.1f} s, {1000 * seconds:.2f} ms a query before rescoring, "
              f"rank correlation {agree:.3f}")  # fmt: skip
        for n in a.rescore:
            kept = [len(set(o[:n]) & set(b)) / TOP for o, b in zip(order, best, strict=True)]
            found = interval(np.array(kept))
            print(f"   first {TOP} after rescoring {n}: recall {found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]")


def timed(score, queries: Embeddings) -> tuple[np.ndarray, float]:  # type: ignore[no-untyped-def]
    """Scores of all queries, one at a time, and seconds of processor time a query."""
    started = time.process_time()
    scores = np.stack([score(queries[i]) for i in range(len(queries))])
    return scores, (time.process_time() - started) / len(queries)


if __name__ == "__main__":
    main()

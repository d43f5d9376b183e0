"""Train a small retriever on a dataset, save nothing but the model, and search with it.

python examples/train_and_search.py out/ model/ "slow music in A minor"
"""

import sys
from pathlib import Path

from fgmcaps.training import Figma
from fgmcaps.training.features.prepare import features_for
from fgmcaps.training.retrieval.search import open_index
from fgmcaps.training.settings import load_settings
from fgmcaps.training.trainer.trainer import train


def main() -> None:
    """Features, training, search; each goes on where it was stopped."""
    data, model, *queries = sys.argv[1:]
    settings = load_settings("demo")
    cache, licences = features_for(settings, data, Path(f"{model}.features"))
    train(settings, cache, model, licences=licences)
    figma = Figma.from_pretrained(model)
    index = open_index(figma, model, data)
    for query in queries:
        print(query)
        for hit in figma.search(query, index, top=3):
            print(f"  {hit.score:.3f}  {hit.clip.id}  {hit.clip.caption}")


if __name__ == "__main__":
    main()

"""The objectivity lexicon on public captions: sentences of MusicCaps that judge, and ones that do not.

``python -m benchmarks.captions.objectivity musiccaps-public.csv``. The CSV is the public MusicCaps file (CC BY-SA
4.0), which is not part of this project; ``musiccaps_labels.csv`` holds our labels of 110 of its sentences, by video id
and sentence number: ``judges`` (a word of it judges or evokes a mood), ``imagines`` (it imagines a use, without such a
word), ``neutral``. The sentences are the first 110 by the SHA-256 of ``id:number``.
"""

import csv
import re
import sys
from pathlib import Path

from benchmarks.captions.checker_accuracy import wilson
from fgmcaps.captioning import check_caption, find_judgements
from fgmcaps.schemas import Facts

LABELS = Path(__file__).with_name("musiccaps_labels.csv")


def main() -> None:
    """Print recall and false alarms; ``--show`` lists the errors."""
    with Path(sys.argv[1]).open(newline="", encoding="utf-8") as file:
        captions = {row["ytid"]: re.split(r"(?<=[.!?])\s+", row["caption"].strip()) for row in csv.DictReader(file)}
    counts = {"judges": [0, 0, 0], "imagines": [0, 0, 0], "neutral": [0, 0, 0]}
    with LABELS.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            sentence = captions[row["ytid"]][int(row["sentence"])]
            found, count = find_judgements(sentence), counts[row["label"]]
            count[0] += 1
            count[1] += bool(found)
            count[2] += not check_caption(sentence, Facts()).ok
            if "--show" in sys.argv and bool(found) != (row["label"] == "judges"):
                print(f"  {row['label']} {found}: {sentence}")
    for label, (total, found, refused) in counts.items():
        low, high = wilson(found, total)
        share = f"{found / total:.1%} [{low:.1%}, {high:.1%}]"
        print(
            f"{label:<9} {total:3} sentences: a judgement found in {found} ({share}), refused by the checker {refused}"
        )


if __name__ == "__main__":
    main()

"""Fusion on a small fixed sample of three kinds of music (benchmarks/labels/sample.py): never worse than a tool alone.

The clips are of the test split: rendered chord charts, songs of the Billboard charts, POP909. None was chosen.
"""

import json
import lzma
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fgmcaps.annotators import load_profile
from fgmcaps.annotators.evaluation import judge, labels_of_tool, unfiltered
from fgmcaps.annotators.fusion import fuse
from fgmcaps.schemas import Estimate, Labels, from_dict
from fgmcaps.schemas.truth import ClipTruth

SAMPLE = Path(__file__).with_name("sample.json.xz")
PROFILE = load_profile("best")
DOMAINS = ("rendered", "billboard", "pop909")
CLIPS = 24


@cache
def clips(domain):
    rows = [row for row in json.loads(lzma.decompress(SAMPLE.read_bytes())) if row["domain"] == domain]
    return [([from_dict(Estimate, e) for e in row["estimates"]], from_dict(ClipTruth, row["truth"])) for row in rows]


@cache
def fused(domain, filtered=False):
    """Labels of every clip of a domain, before the filter or after."""
    settings = PROFILE.fusion if filtered else unfiltered(PROFILE.fusion)
    return [fuse(estimates, settings) for estimates, _ in clips(domain)]


def right(domain, attribute, labels):
    """Mean score of the labels of the clips of a domain."""
    scores = [
        judge(own, own, truth).scores.of(attribute) for own, (_, truth) in zip(labels, clips(domain), strict=True)
    ]
    known = [score for score in scores if score is not None]
    return float(np.mean(known)) if known else 0.0


def alone(domain, name):
    """Labels of every clip by one tool; none where it says nothing."""
    found = [[e for e in estimates if e.annotator == name] for estimates, _ in clips(domain)]
    return [labels_of_tool(own[0]) if own else Labels() for own in found]


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize(
    ("attribute", "kind"),
    [("tempo", "beats"), ("meter", "beats"), ("downbeats", "beats"), ("key", "key"), ("chords", "chords")],
)
def test_fused_labels_are_as_right_as_those_of_the_best_tool(domain, attribute, kind):
    assert len(clips(domain)) == CLIPS
    kinds = {kind, attribute}  # a tempo may be of a tool that gives nothing else
    tools = sorted(tool.info.name for tool in PROFILE.annotators if tool.attribute in kinds)
    scores = {name: right(domain, attribute, alone(domain, name)) for name in tools}
    assert right(domain, attribute, fused(domain)) >= max(scores.values()) - 1 / CLIPS, scores


@pytest.mark.parametrize("domain", ["rendered", "billboard"])
@pytest.mark.parametrize("attribute", ["tempo", "meter", "key", "chords"])
def test_what_the_filter_keeps_is_right_more_often_than_what_it_withholds(domain, attribute):
    kept, withheld = [], []
    for full, filtered, (_, truth) in zip(fused(domain), fused(domain, True), clips(domain), strict=True):
        judged = judge(full, filtered, truth)
        score = judged.scores.of(attribute)
        if score is not None:
            (kept if attribute in judged.kept else withheld).append(score)
    assert not kept or not withheld or np.mean(kept) >= np.mean(withheld)

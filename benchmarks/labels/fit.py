"""Fit the fusion model of a profile: python -m benchmarks.labels.fit DUMP TRUTH --profile best

DUMP holds what the tools say (``python -m benchmarks.annotators.dump``), TRUTH the corpora of ``benchmarks.truth``: the
folders ``rendered``, ``billboard``, ``pop909`` and ``negatives`` of both are read. Split train is fitted on, with one
domain left out at a time (of rendered styles a third); validation joins it for calibration and thresholds; test is not
read.

Writes ``annotators/fusion/models/PROFILE.json`` and prints held-out figures.
"""

import argparse
import datetime
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.labels import harmony_fit, rhythm_fit
from benchmarks.labels.corpus import LabelClip, data_fingerprint, load, negatives_of
from benchmarks.labels.key_fit import SongModels, song_models
from benchmarks.machine import machine
from fgmcaps.annotators import load_profile
from fgmcaps.annotators.fusion.fusion_model import ATTRIBUTES, model_from_json

FITTED_METERS = {"2/4": 0.12, "3/4": 0.20, "4/4": 0.45, "5/4": 0.08, "6/8": 0.15}
"""Of the rendered corpus (:data:`benchmarks.truth.plan.METERS`)."""
METERS = {"2/4": 0.01, "3/4": 0.04, "4/4": 0.90, "5/4": 0.01, "6/8": 0.04}
"""Of popular music, less surely than the Billboard songs say: .965 (with 12/8) in 4/4, .02 in 3/4, .012 in 6/8."""
MODELS = Path(__file__).parents[2] / "annotators" / "fusion" / "models"
DOMAINS, NEGATIVES = ("rendered", "billboard", "pop909"), "negatives"


def read(truth: Path, dump: Path, tools: list[str]) -> list[LabelClip]:
    """Clips to fit on: rendered train and validation, and every other negative; only what the gate lets through."""
    clips = [clip for name in DOMAINS if (dump / name).is_dir() for clip in load(truth / name, dump / name, tools)]
    if (dump / NEGATIVES).is_dir():
        fitted, _ = negatives_of(load(truth / NEGATIVES, dump / NEGATIVES, tools))
        clips += fitted
    return [c for c in clips if c.split != "test" and c.gate is None]


def fit_profile(
    clips: list[LabelClip], settings: dict[str, Any], songs: SongModels, kept: rhythm_fit.KeptModel
) -> dict[str, dict[str, Any]]:
    """Attribute -> its part of the model file."""

    def in_pool(clip: LabelClip) -> bool:
        return clip.ordinary  # how many negatives there are is the corpus's choice: they must not move the curve

    fitted, bpm = rhythm_fit.fit_rhythm(clips, settings, in_pool, kept)
    found = {**fitted, **harmony_fit.fit_harmony(clips, bpm, settings, in_pool, songs, kept)}
    for name in ATTRIBUTES:
        report = found[name].report
        line = ", ".join(f"{k} {v:.3f}" for k, v in report.items() if k != "clips")
        print(f"{name:10} {report['clips']:.0f} held-out clips: {line}")
    return {name: found[name].data for name in ATTRIBUTES}


def with_meters(model: dict[str, Any]) -> dict[str, Any]:
    """A model with the shares of meters that it was fitted on and those that it is to expect, and its trees of keys."""
    charts = model["charts"] if "charts" in model else model["attributes"]["key"]["scorer"]
    return {**model, "meters": METERS, "fitted_meters": FITTED_METERS, "charts": charts}


def command(profile: str, kept: bool) -> str:
    """How to make the model again."""
    keep = f" --keep annotators/fusion/models/{profile}.json --billboard BILLBOARD" if kept else ""
    return f"python -m benchmarks.labels.fit DUMP TRUTH --profile {profile}{keep}"


def main() -> None:
    """Fit, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--profile", default="best")
    parser.add_argument("--out", type=Path, help="file to write, if not the one in the package")
    parser.add_argument("--billboard", type=Path, help="annotations: keys given chords are then judged by song")
    parser.add_argument(
        "--keep",
        type=Path,
        help="a model file whose scorers stay: what they were fitted on (rendered, train) is left out",
    )
    args = parser.parse_args()
    kept = None if args.keep is None else with_meters(json.loads(args.keep.read_text()))
    print(machine())
    started = time.time()
    profile = load_profile(args.profile)
    tools = sorted(tool.name for tool in profile.tools)
    clips = read(args.truth, args.dump, tools)
    if kept is not None:
        clips = [replace(clip, split="train") for clip in clips if clip.domain != "rendered" or clip.split != "train"]
    if not any(c.split == "train" for c in clips):
        sys.exit(
            f"no dumped clip of split train below {args.dump}: run benchmarks.truth and benchmarks.annotators.dump"
        )
    counts = {
        f"{domain} {split}": sum((c.domain, c.split) == (domain, split) and c.ordinary for c in clips)
        for domain in DOMAINS
        for split in ("train", "validation")
    }
    families = len({c.family for c in clips if c.ordinary})
    negatives = sum(not c.ordinary for c in clips)
    print(f"{counts} clips of {families} families, {negatives} negatives; {args.profile}: {tools}")
    attributes = fit_profile(clips, {**rhythm_fit.SETTINGS, **harmony_fit.SETTINGS}, song_models(args.billboard), kept)
    model = {
        "name": args.profile,
        "tools": tools,
        "fitted": {
            "date": datetime.date.today().isoformat(),
            "command": command(args.profile, kept is not None),
            "data_sha256": data_fingerprint(clips),
            "clips": counts,
            "families": families,
            "negatives": negatives,
        },
        "attributes": attributes,
        **({} if kept is None else {name: kept[name] for name in ("meters", "fitted_meters", "charts")}),
    }
    model_from_json(model)  # what is written can be read
    path = args.out or MODELS / f"{args.profile}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(model, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()

"""Counts for the card, and the dry run."""

import random

from captioning.report import dry_run, report_captions
from schemas import Caption, Facts, Verdict


def make(number: int, source: str = "llm", rules: tuple[str, ...] = ()) -> Caption:
    rejected = tuple(Verdict(False, rule) for rule in rules)
    model = "m@1" if source == "llm" else ""
    text = "A pop clip at 120 BPM." + " And more." * (number % 5)
    return Caption(f"clip-{number}", text, "objective", source, model, "v", len(rules) + 1, rejected)  # type: ignore[arg-type]


def test_counts() -> None:
    captions = [make(0), make(1), make(2, "template", ("subjective", "missing.key", "subjective"))]
    report = report_captions(captions)
    assert report.captions == 3
    assert report.by_source == {"llm": 2, "template": 1}
    assert report.by_model == {"m@1": 2, "v": 1}
    assert report.rejections == {"missing.key": 1, "subjective": 2}
    assert report.attempts == {1: 2, 4: 1}
    assert report.lengths == {0: 3}
    assert 0 < report.distinct_1 < report.distinct_2 <= 1


def test_order_does_not_matter() -> None:
    captions = [make(i) for i in range(1500)]
    shuffled = random.Random(1).sample(captions, len(captions))
    assert report_captions(captions) == report_captions(shuffled)


def test_nothing_is_a_report_too() -> None:
    report = report_captions([])
    assert (report.captions, report.self_bleu, report.lengths) == (0, 0.0, {})


def test_dry_run_shows_instructions_once_and_all_facts() -> None:
    shown = list(dry_run([("a", Facts(key="C major")), ("b", Facts(tempo_bpm=90))]))
    assert shown[0].startswith("== a (objective.v1)\n<system>\n")
    assert shown[0].endswith("<user>\nkey: C major\n")
    assert shown[1] == "== b (objective.v1)\n<user>\ntempo: 90 BPM\n"

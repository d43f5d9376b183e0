"""JSONL in, verdicts out."""

import json

import pytest

from fgmcaps.captioning import check_lines
from fgmcaps.captioning.checker.check_lines import CaptionLineError, read_facts
from fgmcaps.schemas import Facts

GOOD = {"facts": {"tempo_bpm": 119.7, "key": "f#m", "chords": ["Am7", "C:maj/3", "C6/9"], "genre": "pop"},
        "caption": "A pop track in G-flat minor at 120 BPM with the chords Am7, C/E, and C6/9."}  # fmt: skip


def test_verdict_per_line() -> None:
    bad = GOOD | {"caption": GOOD["caption"] + " It is great.", "id": "x"}
    out = list(check_lines([json.dumps(GOOD), "", json.dumps(bad)]))
    assert out[0] == {"line": 1, "ok": True, "rule": "", "words": [], "message": ""}
    del out[1]["message"]
    assert out[1] == {"line": 3, "id": "x", "ok": False, "rule": "subjective", "words": ["great"]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "not an object"),
        ('{"facts": {}}', 'no "caption"'),
        ('{"caption": "x"}', 'no "facts"'),
        ('{"facts": {"tempo": 3}, "caption": "x"}', "did you mean 'tempo_bpm'"),
        ('{"facts": {"tempo_bpm": "fast"}, "caption": "x"}', "tempo_bpm"),
        ('{"facts": {"key": "H moll"}, "caption": "x"}', "key is not such as"),
        ('{"facts": {"time_signature": "4-4"}, "caption": "x"}', "time_signature"),
        ('{"facts": {"chords": ["Q7"]}, "caption": "x"}', "'Q7'"),
        ('{"facts": {"genre": [1]}, "caption": "x"}', "genre is not a list of strings"),
        ('{"facts": {}, "caption": 5}', "not a string"),
        ('{"facts": {}, "caption": "x", "style": "poem"}', "unknown style 'poem'"),
        ("[" * 100_000, "line 1"),
        ("x" * 2_000_000, "longer than"),
    ],
)
def test_a_bad_line_is_named_and_costs_only_itself(line: str, message: str) -> None:
    out = list(check_lines([line, json.dumps(GOOD)]))
    assert message in out[0]["error"]
    assert "line 1" in out[0]["error"]
    assert out[1]["ok"]


def test_facts_are_normalised() -> None:
    data = {"tempo_bpm": 99.5, "key": "Gb minor", "mood": None, "time_signature": "7/8"}
    assert read_facts(data) == Facts(tempo_bpm=100, key="F# minor", time_signature="7/8")
    with pytest.raises(CaptionLineError):
        read_facts(None)

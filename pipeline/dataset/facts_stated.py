"""How much a row's caption states: what is too little to publish."""

from collections.abc import Mapping
from typing import Any

from fgmcaps.captioning.checker.statable_terms import usable_facts
from fgmcaps.pipeline.dataset.read import facts_of_row
from fgmcaps.schemas import DeadLetter

COLUMNS = (
    *("id", "track_id", "source_path", "start_s", "caption_source", "tempo_bpm", "tempo_marking", "time_signature"),
    *("key", "chord_summary", "genre", "mood"),
)
"""Columns that are read here."""
REASON = "few_facts"


def facts_stated(row: Mapping[str, Any]) -> int | None:
    """How many of tempo, time signature, key, chords, genre and mood the caption states; None for an imported one."""
    if row["caption_source"] == "imported":
        return None  # in words of its own, which nobody has counted
    facts = usable_facts(facts_of_row(row))
    told = (facts.tempo_bpm is not None, facts.time_signature, facts.key, facts.chords, facts.genre, facts.mood)
    return sum(map(bool, told))


def states_too_little(row: Mapping[str, Any], least: int) -> bool:
    """Whether the caption states fewer than ``least`` facts."""
    stated = facts_stated(row)
    return stated is not None and stated < least


def left_out(row: Mapping[str, Any], least: int) -> DeadLetter:
    """The letter of a row that is left out for its caption."""
    where = f"{row['source_path']} at {row['start_s']:g} s"
    message = f"{where}: its caption states {facts_stated(row)} facts, and {least} are asked for (--min-facts)"
    return DeadLetter(row["track_id"], row["id"], row["source_path"], "push", "filtered", REASON, "", message)

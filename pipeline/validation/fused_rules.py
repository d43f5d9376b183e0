"""Rules for what stands in a row before the filter: it is sound, and what was kept is what was found."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from fgmcaps.schemas import ContractError, Fused, from_dict
from fgmcaps.schemas.harte import is_chord_label
from fgmcaps.schemas.meter import METERS
from fgmcaps.schemas.music import KEYS

_KEPT = {"tempo_bpm": "tempo", "time_signature": "meter", "key": "key", "chords": "chords"}
_SLACK = 1e-3  # probabilities are rounded to four places


def fused_problems(row: Mapping[str, Any], *, recalibrated: bool = False) -> Iterator[str]:
    """What is wrong with the column ``fused`` of a row; nothing where it is null (labels of another dataset).

    ``recalibrated``: the row's confidences are other ones than the model's, which stand in ``fused``; its meter may be
    one of the alternatives.
    """
    if row.get("fused") is None:
        return
    try:
        fused = from_dict(Fused, row["fused"])
    except ContractError as error:
        yield str(error)
        return
    for column, attribute in _KEPT.items():
        kept, found = row[column], row["fused"][column]
        named = [other["value"] for other in row["fused"]["meter_alternatives"] if column == "time_signature"]
        if kept and kept != found and not (recalibrated and kept in named):
            yield f"{column} is {_short(kept)}, but before the filter it was {_short(found)}"
        confidence, probability = row[f"{attribute}_confidence"], row["fused"][f"{attribute}_probability"]
        if not recalibrated and probability is not None and confidence != probability:
            yield f"{attribute}_confidence is {confidence}, but the probability is {probability}"
    for name in ("beats", "downbeats"):
        if row[name] and row[name] != row["fused"][name]:
            yield f"{name} are others than before the filter"
        if any(b <= a for a, b in itertools.pairwise(row["fused"][name])):
            yield f"fused.{name} do not ascend"
    yield from _values(fused)
    yield from _probabilities(fused)


def _values(fused: Fused) -> Iterator[str]:
    for key in (fused.key, *(other.value for other in fused.key_alternatives)):
        if key is not None and key not in KEYS:
            yield f"fused: {key!r} is not a key name in the spelling that rows use"
    for signature in (fused.time_signature, *(other.value for other in fused.meter_alternatives)):
        if signature is not None and signature not in METERS:
            yield f"fused: {signature!r} is no time signature of ours"
    for bpm in (fused.tempo_bpm, *(other.bpm for other in fused.tempo_alternatives)):
        if bpm is not None and not 0 < bpm < 1000:
            yield f"fused: {bpm} BPM is no tempo"
    for span in fused.chords:
        if not is_chord_label(span.label) or span.end <= span.start:
            yield f"fused: {span.label!r} from {span.start} to {span.end} s is no chord"


def _probabilities(fused: Fused) -> Iterator[str]:
    for name in ("tempo", "meter", "key"):
        chosen, others = getattr(fused, f"{name}_probability"), getattr(fused, f"{name}_alternatives")
        values = [*([] if chosen is None else [chosen]), *(other.probability for other in others)]
        if any(not 0 <= value <= 1 for value in values) or sum(values) > 1 + _SLACK:
            yield f"fused: the probabilities of {name} are outside 0 .. 1, or sum to more than 1"
    for name in ("downbeats", "chords"):
        value = getattr(fused, f"{name}_probability")
        if value is not None and not 0 <= value <= 1:
            yield f"fused: {name}_probability {value} is outside 0 .. 1"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

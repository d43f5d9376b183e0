"""All that the tools found in one clip, read from their estimates once."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from fgmcaps.annotators.evidence.base import EvidenceError
from fgmcaps.annotators.evidence.beats import BeatActivations
from fgmcaps.annotators.evidence.chords import ChordPosteriors
from fgmcaps.annotators.evidence.keys import KeyScores, MeanChroma
from fgmcaps.annotators.evidence.signal import SignalEvidence
from fgmcaps.annotators.evidence.tempi import TempoCandidates
from fgmcaps.annotators.fusion.chords import without_start_frame
from fgmcaps.annotators.fusion.features import Floats
from fgmcaps.annotators.fusion.tracker import Tracker, tracker_of
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Key, Tempo

_TRACKERS = ("madmom_downbeat", "beatnet")
_TEMPO_TOOL = "essentia_rhythm"


@dataclass(frozen=True, slots=True)
class TempoTool:
    """A tool that gives a tempo and no numbered beats; ``bpm`` and ``confidence`` are NaN where it gives none."""

    bpm: float = nan
    confidence: float = nan
    candidates: TempoCandidates | None = None


@dataclass(frozen=True, slots=True)
class KeyFinder:
    """A key finder: its key, its own strength (NaN if it gives none) and all its scores."""

    name: str
    key: str | None
    strength: float
    scores: KeyScores | None


@dataclass(frozen=True, slots=True)
class ChordTool:
    """A chord recogniser. ``spans``: without the start frame that some decoders must begin with.

    ``joined``: number of spans that went with it, so evidence of span i is at i + ``joined``.
    """

    name: str
    spans: tuple[ChordSpan, ...]
    joined: int
    posteriors: ChordPosteriors | None
    chroma: MeanChroma | None
    signal: SignalEvidence | None

    @property
    def changes(self) -> Floats:
        """Times in seconds at which one chord follows another."""
        return np.array([span.start for span in self.spans[1:]], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ClipEvidence:
    """One clip: ``trackers`` by trust, the most trusted first; the others in the order of the estimates.

    ``tempo_peaks``: tempi in BPM that tools saw in their curves, chosen or not.
    """

    trackers: tuple[Tracker, ...] = ()
    tempo_tool: TempoTool = TempoTool()
    tempo_peaks: tuple[float, ...] = ()
    key_finders: tuple[KeyFinder, ...] = ()
    chord_tools: tuple[ChordTool, ...] = ()

    @property
    def recognisers(self) -> tuple[ChordTool, ...]:
        """The chord tools that gave spans."""
        return tuple(tool for tool in self.chord_tools if tool.spans)

    @property
    def chord_times(self) -> Floats:
        """Times in seconds of the chord changes of the first recogniser."""
        return self.recognisers[0].changes if self.recognisers else np.zeros(0)

    @property
    def percussive_share(self) -> float:
        """Of the signal; NaN where no tool measured it."""
        return nan if self.signal is None else self.signal.percussive_share

    @property
    def chroma_entropy(self) -> float:
        """Of the signal; NaN where no tool measured it."""
        return nan if self.signal is None else self.signal.chroma_entropy

    @property
    def onset_density(self) -> float:
        """Of the signal; NaN where no tool measured it."""
        return nan if self.signal is None else self.signal.onset_density

    @property
    def signal(self) -> SignalEvidence | None:
        """Measurements of the signal, by whichever tool made them."""
        return next((tool.signal for tool in self.chord_tools if tool.signal is not None), None)

    @property
    def seconds(self) -> float:
        """Length of the clip as the tools show it: the end of the last chord, or the last beat and an interval."""
        ends = [tool.spans[-1].end for tool in self.recognisers]
        if ends:
            return max(ends)
        return max((t.grid.times[-1] + 60.0 / t.bpm for t in self.trackers), default=0.0)


def read_evidence(estimates: Sequence[Estimate]) -> ClipEvidence:
    """Parse the estimates of one clip. Raises EvidenceError naming the tool and the field that is damaged."""
    trackers = {e.annotator: found for e in estimates if (found := tracker_of(e)) is not None}
    names = [*(n for n in _TRACKERS if n in trackers), *(n for n in trackers if n not in _TRACKERS)]
    return ClipEvidence(
        trackers=tuple(trackers[name] for name in names),
        tempo_tool=next((_tempo_tool(e) for e in estimates if e.annotator == _TEMPO_TOOL), TempoTool()),
        tempo_peaks=tuple(bpm for e in estimates for bpm in _tempo_peaks(e)),
        key_finders=tuple(
            KeyFinder(
                e.annotator,
                e.value.name,
                nan if e.confidence is None else e.confidence,
                KeyScores.from_details(e.details, e.annotator),
            )
            for e in estimates
            if isinstance(e.value, Key)
        ),
        chord_tools=tuple(_chord_tool(e, e.value) for e in estimates if isinstance(e.value, ChordSequence)),
    )


def _tempo_tool(estimate: Estimate) -> TempoTool:
    bpm = estimate.value.bpm if isinstance(estimate.value, Tempo) else None
    return TempoTool(
        nan if bpm is None else bpm,
        nan if estimate.confidence is None else estimate.confidence,
        TempoCandidates.from_details(estimate.details, estimate.annotator),
    )


def _tempo_peaks(estimate: Estimate) -> tuple[float, ...]:
    kind: type[BeatActivations] | type[TempoCandidates]
    if isinstance(estimate.value, BeatGrid):
        kind = BeatActivations
    elif isinstance(estimate.value, Tempo):
        kind = TempoCandidates
    else:
        return ()
    found = kind.from_details(estimate.details, estimate.annotator)
    return () if found is None else found.tempo_bpm


def _chord_tool(estimate: Estimate, value: ChordSequence) -> ChordTool:
    name, details = estimate.annotator, estimate.details
    posteriors = ChordPosteriors.from_details(details, name)
    if posteriors is not None and posteriors.spans != len(value.spans):
        raise EvidenceError(
            f"{name}: majmin_mass has {posteriors.spans} values for {len(value.spans)} chords; annotate again"
        )
    spans = tuple(without_start_frame(value.spans))
    return ChordTool(
        name,
        spans,
        len(value.spans) - len(spans),
        posteriors,
        MeanChroma.from_details(details, name),
        SignalEvidence.from_details(details, name),
    )

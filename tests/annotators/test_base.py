"""The annotator contract, on the annotator that needs no model and on one whose loads are counted."""

import pickle
from typing import Any, ClassVar

import numpy as np
import pytest

from fgmcaps.annotators.audio import ClipAudio, resample
from fgmcaps.annotators.base import Annotator, within_clip
from fgmcaps.annotators.registry import ANNOTATORS, make_annotator
from fgmcaps.annotators.tools.chroma_key import ChromaKey
from fgmcaps.schemas import ChordSpan, Estimate, Tempo, ToolInfo, to_json


class CountedLoads(Annotator[list[int]]):
    """An annotator with a real load of its own: it answers the number of samples."""

    attribute: ClassVar = "tempo"
    sample_rate: ClassVar[int] = 8_000
    loads: ClassVar[int] = 0

    def __init__(self, salt: str) -> None:
        super().__init__()
        self.salt = salt

    @property
    def info(self) -> ToolInfo:
        return ToolInfo("counted", "1", "Apache-2.0")

    def settings(self) -> dict[str, Any]:
        return {"salt": self.salt}

    def _load(self) -> list[int]:
        type(self).loads += 1
        return list(range(100_000))

    def _estimate(self, model: list[int], samples: Any) -> Any:
        return Tempo(float(samples.size)), None, {}


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.zeros(100, dtype=np.float32), 22_050, "needs 8000 Hz, got 22050 Hz"),
        (np.zeros(100), 8_000, "float32"),
        (np.zeros((2, 100), dtype=np.float32), 8_000, "mono"),
        (np.zeros(0, dtype=np.float32), 8_000, "no samples"),
        (np.array([0.0, np.nan], dtype=np.float32), 8_000, "NaN"),
        (np.array([0.0, np.inf], dtype=np.float32), 8_000, "NaN or infinity"),
        ([0.0, 1.0], 8_000, "float32"),
    ],
)
def test_wrong_samples_are_refused_with_the_reason(samples: Any, rate: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CountedLoads("refuse").annotate(samples, rate)


def test_models_load_once_per_process_and_settings() -> None:
    before = CountedLoads.loads
    first, again, other = CountedLoads("a"), CountedLoads("a"), CountedLoads("b")
    clip = np.ones(10, dtype=np.float32)
    for annotator in (first, first, again):
        annotator.setup()
        annotator.annotate(clip, 8_000)
    assert CountedLoads.loads == before + 1
    first.close()
    first.annotate(clip, 8_000)
    assert CountedLoads.loads == before + 1
    other.annotate(clip, 8_000)
    assert CountedLoads.loads == before + 2


def test_a_loaded_annotator_pickles_without_its_model() -> None:
    annotator = CountedLoads("pickle")
    annotator.setup()
    data = pickle.dumps(annotator)
    assert len(data) < 500
    clone = pickle.loads(data)
    assert clone == annotator
    assert hash(clone) == hash(annotator)
    assert clone != CountedLoads("other")


def test_a_batch_equals_its_clips_one_by_one(pad: Any) -> None:
    key = ChromaKey()
    clips = [resample(pad([(root, "maj")], 3.0), 44_100, 22_050) for root in (0, 4, 9)]
    one_by_one = [key.annotate(clip, 22_050) for clip in clips]
    assert key.annotate_batch(clips, 22_050) == one_by_one
    assert key.annotate_batch(clips[::-1], 22_050) == one_by_one[::-1]
    assert isinstance(one_by_one[0], Estimate)
    assert to_json(one_by_one[0])


def test_an_unknown_annotator_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'beatnet'"):
        make_annotator("beatnets")
    with pytest.raises(ValueError, match="does not take these options"):
        make_annotator("beatnet", {"modle": 2})
    with pytest.raises(ValueError, match="models 1, 2 and 3"):
        make_annotator("beatnet", {"model": 4})


@pytest.mark.parametrize("name", [name for name in ANNOTATORS if name not in ("omnizart", "chordino")])
def test_every_registered_annotator_declares_itself_without_loading(name: str) -> None:
    annotator = make_annotator(name)
    assert annotator.attribute in ("beats", "tempo", "key", "chords")
    assert annotator.sample_rate in (22_050, 24_000, 44_100)
    assert annotator.info.name.startswith(name)
    assert annotator.info.version not in ("", "missing")
    assert annotator.info.licence
    assert annotator.missing() == ()
    assert annotator._model is None


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountedLoads, "requires", ("no-such-distribution-anywhere",))
    (sentence,) = CountedLoads("missing").missing()
    assert "no-such-distribution-anywhere" in sentence
    assert "make setup" in sentence


def test_resampling_keeps_pitch_and_length() -> None:
    t = np.arange(44_100) / 44_100
    sine = np.sin(2 * np.pi * 1000 * t).astype(np.float32)
    out = resample(sine, 44_100, 22_050)
    assert out.dtype == np.float32
    assert out.shape == (22_050,)
    want = np.sin(2 * np.pi * 1000 * np.arange(22_050) / 22_050)
    assert np.abs(out[500:-500] - want[500:-500]).max() < 1e-4
    assert resample(sine, 44_100, 44_100) is sine


@pytest.mark.parametrize("rates", [(0, 44_100), (44_100, -1), (44_100, 2**31)])
def test_resampling_refuses_rates_that_no_audio_has(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        resample(np.zeros(100, dtype=np.float32), *rates)


def test_a_clip_is_resampled_once_a_rate() -> None:
    clip = ClipAudio(np.zeros(4800, dtype=np.float32), 48_000)
    assert clip.at(48_000) is clip.samples
    assert clip.at(22_050) is clip.at(22_050)
    assert clip.at(22_050).size == 2205


def test_spans_end_with_the_clip() -> None:
    spans = (ChordSpan(0.0, 4.0, "C:maj", 0.5), ChordSpan(4.0, 10.0078, "F:maj"), ChordSpan(10.0078, 10.1, "N"))
    assert within_clip(spans, 10.0) == (ChordSpan(0.0, 4.0, "C:maj", 0.5), ChordSpan(4.0, 10.0, "F:maj"))

"""madmom's key network as torch runs it, against madmom's own layers."""

import numpy as np
import pytest

from fgmcaps.annotators import ClipAudio
from fgmcaps.annotators.kernels.key_network import KeyNetwork
from fgmcaps.annotators.libraries.madmom import import_madmom
from fgmcaps.annotators.registry import make_annotator
from fgmcaps.schemas.music import KEYS, canonical_key


class _Layer:
    layers = ()


def test_a_network_with_other_layers_is_refused():
    class Recurrent:
        pass

    shipped = _Layer()
    shipped.layers = (Recurrent(),)
    with pytest.raises(ValueError, match="Recurrent"):
        KeyNetwork(shipped)
    with pytest.raises(ValueError, match="24 keys"):
        KeyNetwork(_Layer())


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 11])
def test_probabilities_equal_those_of_madmom(index, music):
    rate = 44_100
    samples = ClipAudio(*music(index)).at(rate)[: 10 * rate]
    signal = import_madmom("madmom.audio.signal").Signal(samples, sample_rate=rate)
    shipped = import_madmom("madmom.features.key")
    want = shipped.CNNKeyRecognitionProcessor()(signal)[0]
    names = [canonical_key(name) for name in shipped.KEY_LABELS]
    estimate = make_annotator("madmom_key").annotate(samples, rate)
    found = dict(zip(KEYS, np.exp(estimate.details["scores"]), strict=True))
    np.testing.assert_allclose([found[name] for name in names], want, atol=1e-3)
    assert estimate.value.name == names[int(np.argmax(want))]
    assert estimate.confidence == pytest.approx(float(want.max()), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("samples", [np.zeros(44_100 * 3, np.float32), np.zeros(4_000, np.float32)])
def test_silence_and_short_clips_have_some_key_of_no_certainty(samples):
    assert make_annotator("madmom_key").annotate(samples, 44_100).confidence < 0.3

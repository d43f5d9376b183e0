"""The compiled and batched arithmetic against madmom's, librosa's, torch's and Essentia's own."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators.kernels.bar_decoder import BarDecoder
from fgmcaps.annotators.kernels.bar_viterbi import BarViterbi
from fgmcaps.annotators.kernels.instance_norm import normalise_pool_selu
from fgmcaps.annotators.kernels.log_spectrum import LogSpectrum
from fgmcaps.annotators.kernels.lstm_recurrence import padded
from fgmcaps.annotators.kernels.peephole_lstm import LstmEnsemble
from fgmcaps.annotators.libraries.madmom import import_madmom

downbeats = import_madmom("madmom.features.downbeats")


def activations(seed: int, frames: int, fps: int) -> Any:
    """Peaks about every half second, a downbeat every three or four, on a floor of noise."""
    rng = np.random.default_rng(seed)
    out = rng.uniform(1e-4, 0.03, (frames, 2)).astype(np.float32)
    period, bar = rng.uniform(0.3, 1.0) * fps, rng.integers(2, 5)
    for n, t in enumerate(np.arange(rng.uniform(0, period), frames, period)):
        out[int(t), int(n % bar == 0)] += np.float32(rng.uniform(0.2, 0.9))
    return out


@pytest.fixture(scope="module", params=[(3, 100), (2, 50), (5, 50)], ids=str)
def bar_model(request: pytest.FixtureRequest) -> tuple[Any, int]:
    beats, fps = request.param
    return downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[beats], fps=fps).hmms[0], fps


@pytest.mark.parametrize("frames", [1, 2, 40, 300])
def test_the_bar_decoder_finds_madmom_s_path_and_probability(bar_model: tuple[Any, int], frames: int) -> None:
    hmm, fps = bar_model
    ours = BarViterbi(hmm)
    for seed in range(4):
        observed = activations(seed, frames, fps)
        path, log_probability = hmm.viterbi(observed)
        found, found_probability = ours(observed)
        np.testing.assert_array_equal(found, path)
        assert found_probability == pytest.approx(log_probability, abs=1e-8)


def test_a_probability_of_zero_goes_to_madmom_s_own_decoder(bar_model: tuple[Any, int]) -> None:
    hmm, fps = bar_model
    observed = activations(1, 200, fps)
    observed[50] = 0.0
    ours = BarViterbi(hmm)
    assert ours.densities(observed) is None
    np.testing.assert_array_equal(ours(observed)[0], hmm.viterbi(observed)[0])


def test_holding_the_beat_near_its_length_costs_nothing_and_elsewhere_a_lot() -> None:
    fps, beat = 100, 50
    observed = np.full((600, 2), 0.01, np.float32)
    observed[::beat, 0], observed[:: 4 * beat] = 0.9, (0.02, 0.9)
    ours = BarViterbi(downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[4], fps=fps).hmms[0])
    densities = ours.densities(observed)
    assert densities is not None
    free = ours(observed)[1]
    near, far = ours.log_probability(densities, 46, 54), ours.log_probability(densities, 69, 81)
    assert near == pytest.approx(free, abs=1e-8)
    assert far is not None and near is not None and far < near - 20
    assert ours.log_probability(densities, 500, 600) is None


def test_evidence_bars_change_no_beat() -> None:
    observed = activations(3, 500, 100)
    plain, more = BarDecoder((3, 4), 100)(observed), BarDecoder((3, 4), 100, (2, 6))(observed)
    assert plain[:2] == more[:2]
    assert more[2] == pytest.approx({**plain[2], 2: more[2][2], 6: more[2][6]})


@pytest.fixture(scope="module")
def ensemble() -> Any:
    return downbeats.RNNDownBeatProcessor().processors[1]


@pytest.mark.parametrize("frames", [1, 7, 120])
def test_the_compiled_recurrence_equals_madmom_s_networks(ensemble: Any, frames: int) -> None:
    features = np.random.default_rng(frames).normal(0.3, 0.4, (frames, 314)).astype(np.float32)
    networks = list(ensemble.processors[0].processors)[:3]
    want = np.atleast_2d(np.mean([network(features) for network in networks], axis=0))
    with torch.inference_mode():
        stack = torch.from_numpy(features)[None]
        np.testing.assert_allclose(LstmEnsemble(networks)(stack)[0].numpy(), want, atol=3e-6)
        np.testing.assert_allclose(LstmEnsemble(networks, compiled=False)(stack)[0].numpy(), want, atol=3e-6)


def test_a_clip_s_scores_do_not_depend_on_its_batch(ensemble: Any) -> None:
    networks = list(ensemble.processors[0].processors)[:2]
    stack = torch.from_numpy(np.random.default_rng(5).normal(0.3, 0.4, (3, 60, 314)).astype(np.float32))
    with torch.inference_mode():
        together = LstmEnsemble(networks)(stack)
        assert all(torch.equal(together[i], LstmEnsemble(networks)(stack[i : i + 1])[0]) for i in range(3))
        stepwise = LstmEnsemble(networks, compiled=False)(stack)
        np.testing.assert_allclose(stepwise.numpy(), together.numpy(), atol=3e-6)


def test_more_cells_than_the_kernel_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="room for 32"):
        padded(np.zeros((2, 33), np.float32))


@pytest.mark.parametrize("samples", [441, 4410, 44_100, 50_001])
def test_the_log_spectrum_equals_madmom_s_at_every_length(samples: int) -> None:
    signal = np.random.default_rng(samples).normal(0, 0.2, (2, samples)).astype(np.float32)
    features = downbeats.RNNDownBeatProcessor().processors[0]
    want = [np.asarray(features(clip)) for clip in signal]
    chains = features.processors[1].processors
    spectra = [LogSpectrum(chain) for chain in chains]
    found = torch.cat([spectrum(torch.from_numpy(signal)) for spectrum in spectra], dim=2).numpy()
    np.testing.assert_allclose(found, np.stack(want), atol=2e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 5), st.integers(4, 30), st.integers(1, 20), st.sampled_from([1, 3, 4]), st.integers(0, 99))
def test_the_fused_pass_equals_torch_in_float64(frames: int, bins: int, channels: int, pool: int, seed: int) -> None:
    maps = np.random.default_rng(seed).normal(2, 3, (frames, bins, channels)).astype(np.float32)
    x = torch.from_numpy(maps.astype(np.float64)).permute(2, 0, 1)[None]
    want = torch.nn.functional.instance_norm(x)
    want = torch.nn.functional.max_pool2d(torch.nn.functional.selu(want), (1, pool))[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(normalise_pool_selu(maps, pool), want, atol=2e-4, rtol=1e-4)

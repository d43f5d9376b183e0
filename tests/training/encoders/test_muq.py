"""MuQ's loading code on a tiny model saved from its own config."""

import json

import librosa
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2ConformerConfig

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.training.encoders import make_audio_encoder
from fgmcaps.training.encoders.mel import AmplitudeToDB, MelSpectrogram
from fgmcaps.training.encoders.muq import _muq_module

MEAN, STD = 6.77, 18.42


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A MuQ of width 32 with two layers, as its own `save_pretrained` writes it."""
    conformer = Wav2Vec2ConformerConfig(
        hidden_size=32,
        num_attention_heads=4,
        intermediate_size=48,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        position_embeddings_type="rotary",
    )
    muq = _muq_module()
    torch.manual_seed(0)
    config = muq.MuQConfig(
        conv_dim=16,
        encoder_dim=32,
        encoder_depth=2,
        stat={"melspec_2048_mean": MEAN, "melspec_2048_std": STD},
        w2v2_config={**json.loads(conformer.to_json_string(use_diff=False)), "_attn_implementation": "eager"},
    )
    folder = tmp_path_factory.mktemp("muq")
    muq.MuQ(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(tiny):
    made = make_audio_encoder("muq", path=str(tiny), dim=32)
    made.setup()
    return made


def noise(*shape):
    return torch.from_numpy(np.random.default_rng(3).normal(size=shape).astype(np.float32) * 0.1)


def test_mel_spectrogram_is_librosas():
    signal = noise(24_000)
    ours = AmplitudeToDB()(MelSpectrogram(24_000, 2048, 240, 128)(signal)).numpy()
    mel = librosa.feature.melspectrogram(
        y=signal.numpy(), sr=24_000, n_fft=2048, hop_length=240, n_mels=128, htk=True, norm=None, pad_mode="reflect"
    )
    theirs = 10 * np.log10(np.maximum(mel, 1e-10))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs)[mel > 1e-6].max() < 1e-2


def test_ten_seconds_are_250_frames_in_fp32(encoder):
    frames, mask = encoder.frames(noise(2, 240_000), torch.tensor([240_000, 240_000]))
    assert frames.shape == (2, 250, 32)
    assert frames.dtype == torch.float32
    assert mask.all()
    assert encoder.revision.startswith("local:")


def test_frames_are_the_models_own(encoder):
    """The same steps from an independent mel spectrogram."""
    signal = noise(1, 48_000)
    mel = librosa.feature.melspectrogram(
        y=signal[0].numpy(), sr=24_000, n_fft=2048, hop_length=240, n_mels=128, htk=True, norm=None, pad_mode="reflect"
    )
    inner = encoder._model.model
    normal = (10 * np.log10(np.maximum(mel, 1e-10))[:, :-1] - MEAN) / STD
    with torch.no_grad():
        expected = inner.conformer(inner.conv(torch.from_numpy(normal[None].astype(np.float32)))).last_hidden_state
    frames, _ = encoder.frames(signal, torch.tensor([48_000]))
    assert torch.allclose(frames, expected, atol=2e-3)


def test_padding_is_not_attended_to(encoder):
    signal = noise(2, 240_000)
    signal[1, 120_000:] = 0
    frames, mask = encoder.frames(signal, torch.tensor([240_000, 120_000]))
    alone, _ = encoder.frames(signal[1:, :120_000], torch.tensor([120_000]))
    assert mask.sum(1).tolist() == [250, 125]
    assert not frames[1, 125:].any()
    # the convolutions see the silence behind the clip, so its last frames differ
    assert (frames[1, :100] - alone[0, :100]).abs().max() < 0.05 * alone.abs().max()


def test_weights_of_other_shapes_are_refused(tiny, tmp_path):
    with pytest.raises(InvalidDataError, match="width 32, expected 1024"):
        make_audio_encoder("muq", path=str(tiny)).setup()
    config = json.loads((tiny / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "conv_dim": 24}))
    (tmp_path / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes())
    with pytest.raises(InvalidDataError, match=r"weight model\.conv\..* has shape .*, expected .*another model"):
        make_audio_encoder("muq", path=str(tmp_path), dim=32).setup()
    (tmp_path / "config.json").write_text(json.dumps({**config, "colour": "red"}))
    with pytest.raises(InvalidDataError, match="no config of MuQ"):
        make_audio_encoder("muq", path=str(tmp_path), dim=32).setup()


def test_missing_weights_and_pickles_are_refused(tiny, tmp_path):
    weights = {k: v for k, v in load_file(tiny / "model.safetensors").items() if "conformer.layers.1" not in k}
    (tmp_path / "config.json").write_bytes((tiny / "config.json").read_bytes())
    with pytest.raises(InvalidDataError, match=r"pickles .* are refused"):
        make_audio_encoder("muq", path=str(tmp_path), dim=32).setup()
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(InvalidDataError, match=r"weights are missing \(model\.conformer\.layers\.1"):
        make_audio_encoder("muq", path=str(tmp_path), dim=32).setup()
    torch.save(weights, tmp_path / "model.safetensors")
    with pytest.raises(InvalidDataError, match="no safetensors file"):
        make_audio_encoder("muq", path=str(tmp_path), dim=32).setup()
    with pytest.raises(FgmcapsError, match="no model there"):
        make_audio_encoder("muq", path=str(tmp_path / "nowhere"), dim=32).setup()


def test_other_weights_are_another_revision(tiny, tmp_path):
    (tmp_path / "config.json").write_bytes((tiny / "config.json").read_bytes())
    weights = load_file(tiny / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + 1}, tmp_path / "model.safetensors")
    mine, theirs = (make_audio_encoder("muq", path=str(p), dim=32).revision for p in (tiny, tmp_path))
    assert mine != theirs

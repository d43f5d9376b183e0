import json
import math
import pickle

import pytest
import torch

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.training.data.batch import Batch
from fgmcaps.training.model.config import EncoderRecord, ModelConfig
from fgmcaps.training.model.model import FigmaModel, reduce_frames
from fgmcaps.training.settings import TrainSettings

SMALL = {"head_width": 16, "head_layers": 1, "head_heads": 2, "head_ffn": 8, "head_out": 4, "dropout": 0.0}


def make_model(**settings):
    torch.manual_seed(0)
    config = ModelConfig.of(
        TrainSettings(**{**SMALL, **settings}),
        EncoderRecord(name="sound", revision="1", licence="MIT", dim=6, settings={"hop": 960}),
        EncoderRecord(name="words", revision="2", licence="CC-BY-NC-4.0", dim=5),
    )
    return FigmaModel(config, {"mean": torch.arange(6.0)}).eval()


def sound(n=3, frames=7, seed=0):
    x = torch.randn(n, frames, 6, generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(frames)[None] < torch.tensor([frames, frames - 2, frames - 1])[:n, None]
    return torch.where(mask[..., None], x, 0), mask


def words(n=3, tokens=5, seed=1):
    x = torch.randn(n, tokens, 5, generator=torch.Generator().manual_seed(seed))
    return x, torch.arange(tokens)[None] < torch.tensor([tokens, 2, 3])[:n, None]


def test_the_paper_s_model_has_22_060_032_parameters():
    encoder = EncoderRecord(name="e", dim=1024)
    model = FigmaModel(ModelConfig.of(TrainSettings(), encoder, encoder))
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 22_060_032


@pytest.mark.parametrize("pooling", ["features", "layers"])
def test_views_are_unit_vectors_of_the_right_shapes(pooling):
    model = make_model(global_pooling=pooling)
    audio, text = model.audio_views(*sound()), model.text_views(*words())
    assert audio.global_.shape == (3, 4) and audio.sequence.shape == (3, 7, 4) and text.sequence.shape == (3, 5, 4)
    for views in (audio, text):
        torch.testing.assert_close(views.global_.norm(dim=-1), torch.ones(3))
        torch.testing.assert_close(views.sequence.norm(dim=-1), torch.ones(views.sequence.shape[:2]))


def test_global_views_pool_what_the_settings_say():
    x, mask = sound(1)
    model = make_model(global_pooling="features")
    by_hand = model.audio_head.globals_(x.mean(1))
    torch.testing.assert_close(model.audio_views(x, mask).global_, torch.nn.functional.normalize(by_hand, dim=-1))
    model = make_model(global_pooling="layers")
    by_hand = model.audio_head.frames(x, mask).mean(1)  # a linear map commutes with the mean
    torch.testing.assert_close(model.audio_views(x, mask).global_, torch.nn.functional.normalize(by_hand, dim=-1))
    y, mask = words()
    first, mean = (make_model(text_global=how).text_views(y, mask).global_ for how in ("first", "mean"))
    assert not torch.allclose(first, mean)
    y[:, 1:] += 1
    torch.testing.assert_close(make_model(text_global="first").text_views(y, mask).global_, first)


@pytest.mark.parametrize("train", [False, True])
def test_masked_padding_changes_nothing_and_attended_padding_does(train):
    x, mask = words()
    more = torch.cat([x, torch.full((3, 4, 5), 7.0)], 1), torch.cat([mask, torch.zeros(3, 4, dtype=torch.bool)], 1)
    model = make_model().train(train)
    a, b = model.text_views(x, mask), model.text_views(*more)
    torch.testing.assert_close(a.global_, b.global_)
    torch.testing.assert_close(a.sequence[mask], b.sequence[:, :5][mask], atol=1e-6, rtol=0)
    attended = make_model(padding="attended", max_tokens=9)
    assert attended.text_views(x, mask).mask.all() and attended.text_views(x, mask).sequence.shape[1] == 9
    assert not torch.allclose(attended.text_views(*more).sequence[:, :5][mask], a.sequence[mask])


def test_tokens_after_the_limit_are_cut():
    x, mask = words()
    model = make_model(max_tokens=3)
    torch.testing.assert_close(model.text_views(x, mask).sequence, model.text_views(x[:, :3], mask[:, :3]).sequence)


def test_frames_are_reduced_over_real_ones_only():
    x = torch.tensor([[[1.0], [3.0], [5.0], [math.nan], [math.nan]]])
    mask = torch.tensor([[True, True, True, False, False]])
    values, kept = reduce_frames(x, mask, 2, "mean")
    assert values[0, :, 0].tolist() == [2.0, 5.0, 0.0] and kept.tolist() == [[True, True, False]]
    values, kept = reduce_frames(x, mask, 2, "first")
    assert values[0, :2, 0].tolist() == [1.0, 5.0] and kept.tolist() == [[True, True, False]]
    assert reduce_frames(x, mask, 1, "mean")[0] is x


def test_forward_gives_both_views():
    batch = Batch(*sound(), *words(), *(torch.arange(3) for _ in range(3)))
    audio, text = make_model()(batch)
    assert len(audio) == len(text) == 3


def test_features_of_another_encoder_are_refused():
    with pytest.raises(ValueError, match="features of width 5; this model was trained on sound's 6"):
        make_model().audio_views(*words())


def test_a_saved_model_gives_the_same_scores_and_the_same_bytes(tmp_path):
    model = make_model()
    model.save(tmp_path / "a")
    again = FigmaModel.load(tmp_path / "a")
    assert again.config == model.config.model_copy(update={"temperature": again.config.temperature})
    assert again.config.temperature == pytest.approx(0.07) and not again.training
    assert torch.equal(again.encoder_state["mean"], model.encoder_state["mean"])
    torch.testing.assert_close(
        again.audio_views(*sound()).sequence, model.audio_views(*sound()).sequence, atol=0, rtol=0
    )
    again.save(tmp_path / "b")
    assert (tmp_path / "a/heads.safetensors").read_bytes() == (tmp_path / "b/heads.safetensors").read_bytes()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "config.json", "encoder.safetensors", "heads.safetensors",
    ]  # fmt: skip


def damage(folder, what):
    if what == "pickle":
        (folder / "heads.safetensors").write_bytes(pickle.dumps({"a": 1}))
    elif what == "torch pickle":
        torch.save({"a": torch.ones(1)}, folder / "heads.safetensors")
    elif what == "only a pickle":
        (folder / "heads.safetensors").rename(folder / "figma.ckpt")
    elif what == "cut":
        path = folder / "heads.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
    elif what == "other width":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"head_out": 8}))
    elif what == "other layers":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"head_layers": 2}))
    elif what == "fewer layers":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"head_layers": 0}))
    elif what == "config":
        (folder / "config.json").write_text('{"format": "figma/9"}')
    elif what == "config syntax":
        (folder / "config.json").write_text("{")
    elif what == "encoder":
        (folder / "encoder.safetensors").write_bytes(b"x" * 50)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("pickle", r"heads.safetensors is a pickle, which can run code and is not read"),
        ("torch pickle", r"heads.safetensors is a pickle"),
        ("only a pickle", r"heads.safetensors is missing; figma.ckpt may be a pickle"),
        ("cut", r"heads.safetensors is not a safetensors file, or damaged"),
        (
            "other width",
            r"output.bias is \[4\], but the configuration needs \[8\]; the weights are of another head size",
        ),
        ("other layers", r"lacks audio_head.layers.1"),
        ("fewer layers", r"has audio_head.layers.0.* which the configuration does not know"),
        ("config", r"config.json is not the configuration of a model"),
        ("config syntax", r"config.json is not the configuration of a model"),
        ("encoder", r"encoder.safetensors is not a safetensors file, or damaged"),
    ],
)
def test_damaged_model_folders_are_refused_by_name(tmp_path, what, message):
    make_model().save(tmp_path)
    damage(tmp_path, what)
    with pytest.raises(InvalidDataError, match=message):
        FigmaModel.load(tmp_path)


def test_a_folder_without_a_model_is_a_wrong_input(tmp_path):
    with pytest.raises(FgmcapsError, match=r"holds no model \(config.json is missing\)"):
        FigmaModel.load(tmp_path)

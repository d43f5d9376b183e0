"""Training on planted clips: it learns, resumes bit for bit, refuses what it must, and survives SIGKILL."""

import errno
import json
import os
import signal
import time

import numpy as np
import pytest
import torch

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError, NothingToDoError
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.settings import TrainSettings
from fgmcaps.training.trainer import resume, run, trainer
from fgmcaps.training.trainer.progress import TrainingLog
from fgmcaps.training.trainer.run import validation_rows
from fgmcaps.training.trainer.trainer import train
from tests.training.planted import planted_cache
from tests.training.workers import run_processes, start

SMALL = {
    "head_width": 16, "head_layers": 1, "head_heads": 2, "head_ffn": 16, "head_out": 8, "batch": 16, "epochs": 2,
    "learning_rate": 3e-3, "text_global": "mean", "validation_minimum": 20,
}  # fmt: skip


def settings_of(**more):
    return TrainSettings(**{**SMALL, **more})


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return planted_cache(tmp_path_factory.mktemp("planted"), 120)


def heads(out):
    return (out / "heads.safetensors").read_bytes()


def assert_same_views(a, b, cache):
    """Weights may differ where they change nothing: Adam blows up the rounding of gradients that are 0 in theory."""
    batch = cache.batch(range(20))
    with torch.no_grad():
        for x, y in zip(FigmaModel.load(a)(batch), FigmaModel.load(b)(batch), strict=True):
            torch.testing.assert_close(x.global_, y.global_, atol=2e-3, rtol=0)
            torch.testing.assert_close(x.sequence, y.sequence, atol=2e-3, rtol=0)


def constant(model, cache, rows):
    return {"fused/t2a/R@10": 0.5}


@pytest.mark.slow
def test_it_learns_what_was_planted_and_leaves_a_model(cache, tmp_path):
    result = train(settings_of(epochs=6), cache, tmp_path / "out", licences={"planted-audio": "CC-BY-NC-4.0"})
    found = result.metrics["validation"]
    assert found["pool/clips"] == 36
    for view in ("global", "frame", "fused"):
        assert found[f"{view}/t2a/R@10"] > 1.5 * 10 / 36, view
    out = result.out
    assert FigmaModel.load(out).config.audio_encoder.licence == "CC-BY-NC-4.0"
    card = (out / "README.md").read_text()
    assert "license: cc-by-nc-4.0" in card and "84 clips of 42 tracks" in card and cache.fingerprint[:16] in card
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    metrics = json.loads((out / "metrics.json").read_text())
    assert [e["epoch"] for e in metrics["history"]] == list(range(1, 7))
    assert metrics["history"][-1]["loss"] < metrics["history"][0]["loss"] - 0.3
    assert not (out / "checkpoints").exists() and not list(out.rglob("*.tmp"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(cache, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(settings_of(seed=seed, captions="any", token_dropout=0.2, frame_dropout=0.2), cache, tmp_path / name)
    assert heads(tmp_path / "a") == heads(tmp_path / "b") != heads(tmp_path / "c")


class Stop(BaseException):
    """As abrupt as a signal to the code under test: nothing of ours catches it."""


VARIANTS = [
    {"captions": "any", "token_dropout": 0.2, "negatives": "pool", "pool_batches": 3},
    {
        "negatives": "pool",
        "pool_batches": 2,
        "micro_batch": 5,
        "learn_temperature": True,
        "schedule": "cosine",
        "warmup_steps": 2,
        "clip_norm": 1.0,
    },
    {"accumulate": 2, "optimizer": "adamw", "weight_decay": 0.1, "precision": "bf16"},
]


@pytest.mark.parametrize("variant", [VARIANTS[0], *(pytest.param(v, marks=pytest.mark.slow) for v in VARIANTS[1:])])
def test_a_run_stopped_anywhere_ends_with_the_same_bytes(cache, tmp_path, monkeypatch, variant):
    settings = settings_of(checkpoint_steps=1, **variant)
    train(settings, cache, tmp_path / "whole")
    calls = iter(range(1000))
    real = TrainingLog.step

    def stop_now_and_then(self, *args):
        real(self, *args)
        if next(calls) % 3 == 2:
            raise Stop

    monkeypatch.setattr(TrainingLog, "step", stop_now_and_then)
    for stops in range(50):  # noqa: B007 - counts
        try:
            train(settings, cache, tmp_path / "stopped")
            break
        except Stop:
            continue
    assert stops >= 1
    assert heads(tmp_path / "stopped") == heads(tmp_path / "whole")
    whole, stopped = (json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("whole", "stopped"))
    assert [e["loss"] for e in whole["history"]] == [e["loss"] for e in stopped["history"]]


@pytest.fixture
def one_thread():
    """As in the processes of ``workers``: the last bits of a sum depend on how many threads share it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_a_killed_process_resumes_to_the_same_bytes(tmp_path, one_thread):
    cache = planted_cache(tmp_path / "cache", 400)
    settings = settings_of(epochs=8, captions="any", checkpoint_steps=2)
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    train(settings, cache, tmp_path / "whole")
    random, kills = np.random.default_rng(0), 0
    while True:
        process = start("train", tmp_path)
        before = sorted((tmp_path / "out" / "checkpoints").glob("[0-9]*"))
        limit = time.monotonic() + 400
        while process.poll() is None and time.monotonic() < limit:
            if sorted((tmp_path / "out" / "checkpoints").glob("[0-9]*")) != before:
                time.sleep(float(random.uniform(0, 0.3)))
                break
            time.sleep(0.01)
        if process.poll() is None and kills < 4:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        output = process.communicate(timeout=400)[0]
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, output
    assert kills >= 2
    assert heads(tmp_path / "out") == heads(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"negatives": "devices"}, {"negatives": "devices", "micro_batch": 4}])
def test_two_processes_train_what_one_trains_with_the_joined_batch(tmp_path, more):
    cache = planted_cache(tmp_path / "cache", 120)
    shared = {"dropout": 0.0, "epochs": 2, "checkpoint_steps": 2}
    (tmp_path / "settings.json").write_text(settings_of(batch=8, **shared, **more).model_dump_json())
    run_processes("train", 2, tmp_path)
    train(settings_of(batch=16, **shared), cache, tmp_path / "alone")
    assert_same_views(tmp_path / "out", tmp_path / "alone", cache)


@pytest.mark.slow
def test_parts_of_a_batch_train_as_the_whole(cache, tmp_path):
    for name, micro in (("whole", None), ("parts", 5)):
        train(settings_of(dropout=0.0, micro_batch=micro), cache, tmp_path / name)
    assert_same_views(tmp_path / "parts", tmp_path / "whole", cache)


def test_a_step_with_fewer_batches_than_others_averages_those_it_has(cache, tmp_path):
    """84 rows are two batches of 42; with accumulate 8 they are one step of two, as with accumulate 2."""
    for name, batches in (("two", 2), ("eight", 8)):
        train(settings_of(batch=42, accumulate=batches, clip_norm=1e-3), cache, tmp_path / name, evaluation=constant)
    assert heads(tmp_path / "two") == heads(tmp_path / "eight")


@pytest.mark.slow
@pytest.mark.parametrize(
    "variant", [{"alpha": 1.0}, {"alpha": 0.0}, {"t2a_direction": "reversed"}, {"padding": "attended", "max_tokens": 8},
                {"global_pooling": "layers"}, {"frame_stride": 3}, {"frame_stride": 3, "frame_reduce": "first"},
                {"batch": 500}, {"mask_same_track": False, "mask_same_caption": False, "one_clip_per_track": False}],
)  # fmt: skip
def test_every_open_point_of_the_method_trains(cache, tmp_path, variant):
    result = train(settings_of(epochs=1, **variant), cache, tmp_path)
    assert np.isfinite(result.metrics["history"][0]["loss"])
    model = FigmaModel.load(tmp_path)
    assert all(getattr(model.config, k) == v for k, v in variant.items() if hasattr(model.config, k))


@pytest.mark.slow
def test_it_stops_when_the_monitor_does_not_rise_and_keeps_the_best(cache, tmp_path):
    values = iter([0.1, 0.5, 0.4, 0.5, 0.3, 0.2])
    weights = []

    def evaluation(model, cache, rows):
        weights.append(model.audio_head.output.weight.detach().clone())
        return {"fused/t2a/R@10": next(values)}

    result = train(settings_of(epochs=6, patience=2), cache, tmp_path, evaluation=evaluation)
    assert (result.metrics["epochs"], result.metrics["best_epoch"], result.metrics["stopped_early"]) == (4, 2, True)
    assert torch.equal(FigmaModel.load(tmp_path).audio_head.output.weight, weights[1])


@pytest.mark.slow
def test_a_rank_is_better_when_it_is_smaller(cache, tmp_path):
    values = iter([3.0, 2.0, 4.0])

    def evaluation(model, cache, rows):
        return {"frame/t2a/median_rank": next(values)}

    result = train(settings_of(epochs=3, monitor="frame/t2a/median_rank"), cache, tmp_path, evaluation=evaluation)
    assert result.metrics["best_epoch"] == 2


def test_a_finished_run_is_left_alone(cache, tmp_path, monkeypatch):
    first = train(settings_of(epochs=1), cache, tmp_path)
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    monkeypatch.setattr(trainer, "Run", None)
    again = train(settings_of(epochs=1, tensorboard=True), cache, tmp_path)
    assert again.already_done and not first.already_done and again.metrics == first.metrics
    assert {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == stamps


@pytest.mark.slow
def test_out_of_another_configuration_or_of_none_is_refused(cache, tmp_path):
    train(settings_of(epochs=1), cache, tmp_path / "out")
    with pytest.raises(FgmcapsError, match=r"another configuration: alpha: 0.6 -> 0.5 \(and 1 more\)"):
        train(settings_of(epochs=2, alpha=0.5), cache, tmp_path / "out")
    other = planted_cache(tmp_path / "other", 60, seed=5)
    with pytest.raises(FgmcapsError, match="another configuration: data"):
        train(settings_of(epochs=1), other, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(FgmcapsError, match="is not empty and holds no training run"):
        train(settings_of(), cache, tmp_path / "mine")
    with pytest.raises(FgmcapsError, match="is not a folder"):
        train(settings_of(), cache, tmp_path / "mine" / "thesis.txt")
    (tmp_path / "out" / "run.json").write_text("{")
    with pytest.raises(InvalidDataError, match=r"run.json is damaged"):
        train(settings_of(epochs=1), cache, tmp_path / "out")


def test_nan_features_are_named_by_their_clip(tmp_path):
    cache = planted_cache(tmp_path / "cache", 60, broken_row=7)
    with pytest.raises(
        InvalidDataError, match=rf"loss is nan at epoch 1, step \d: features of {cache.ids[7]} \(row 7\)"
    ):
        train(settings_of(batch=40), cache, tmp_path / "out")


def test_a_loss_that_explodes_names_epoch_step_and_what_to_lower(cache, tmp_path):
    with pytest.raises(InvalidDataError, match=r"loss is nan at epoch 1, step \d: .*lower learning_rate"):
        train(settings_of(learning_rate=1e30), cache, tmp_path)


def test_rows_that_nothing_tells_apart_are_refused(tmp_path):
    one = planted_cache(tmp_path / "one", 20, clips_per_track=20, splits=(1.0, 0.0))
    with pytest.raises(FgmcapsError, match=r"all 20 rows of .* are of one track"):
        train(settings_of(), one, tmp_path / "out")
    train(settings_of(epochs=1, mask_same_track=False), one, tmp_path / "allowed")
    lonely = planted_cache(tmp_path / "lonely", 1, splits=(1.0, 0.0))
    with pytest.raises(NothingToDoError, match="has 1 usable rows"):
        train(settings_of(), lonely, tmp_path / "out2")


def test_without_a_validation_split_the_last_epoch_is_kept(tmp_path):
    cache = planted_cache(tmp_path / "cache", 30, splits=(1.0, 0.0))
    result = train(settings_of(), cache, tmp_path / "out")
    assert result.metrics["validation"] == {} and result.metrics["best_epoch"] == 2
    assert "nothing was measured" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.slow
def test_a_small_validation_split_is_shown_but_chooses_nothing(cache, tmp_path):
    values = iter([0.9, 0.5, 0.4, 0.1])

    def evaluation(model, cache, rows):
        return {"fused/t2a/R@10": next(values)}

    settings = settings_of(epochs=4, patience=1, validation_minimum=50)
    result = train(settings, cache, tmp_path, evaluation=evaluation)
    assert (result.metrics["epochs"], result.metrics["best_epoch"]) == (4, 4)
    assert result.metrics["validation"] == {"fused/t2a/R@10": 0.1}


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(),
                                   RuntimeError("DefaultCPUAllocator: can't allocate memory")])  # fmt: skip
def test_out_of_memory_says_what_to_lower(cache, tmp_path, monkeypatch, error):
    def explode(*args):
        raise error

    monkeypatch.setattr(run, "backward_whole", explode)
    with pytest.raises(MachineError, match=r"out of memory at epoch 1, step 1 with batch 16: .*micro_batch=8"):
        train(settings_of(), cache, tmp_path)


@pytest.mark.slow
def test_a_full_disk_keeps_the_checkpoint_before(cache, tmp_path, monkeypatch):
    """Writing fails as on a full disk from the second epoch on; with room again, the run ends as if nothing was."""
    train(settings_of(), cache, tmp_path / "whole")
    real, room = resume.write_atomically, [True]

    def write(path, data):
        if not room[0]:
            raise MachineError(f"{path}: {os.strerror(errno.ENOSPC)} (free some space and run the same command again)")
        real(path, data)
        if path.name == "state.json":
            room[0] = False

    monkeypatch.setattr(resume, "write_atomically", write)
    with pytest.raises(MachineError, match="No space left on device"):
        train(settings_of(), cache, tmp_path / "out")
    assert resume.latest(tmp_path / "out").progress.epoch == 1
    monkeypatch.setattr(resume, "write_atomically", real)
    train(settings_of(), cache, tmp_path / "out")
    assert heads(tmp_path / "out") == heads(tmp_path / "whole")


def test_a_damaged_checkpoint_is_named(cache, tmp_path, monkeypatch):
    def stop(self, *args):
        raise Stop

    monkeypatch.setattr(TrainingLog, "epoch", lambda self, entry, *a: stop(self) if entry["epoch"] == 2 else None)
    with pytest.raises(Stop):
        train(settings_of(), cache, tmp_path)
    folder = resume.latest(tmp_path).folder
    (folder / "optimizer.safetensors").write_bytes(b"0" * 30)
    with pytest.raises(InvalidDataError, match=r"optimizer.safetensors is not a safetensors.*delete .* to start from"):
        train(settings_of(), cache, tmp_path)


def test_validation_rows_are_drawn_by_seed(cache):
    assert len(validation_rows(cache, settings_of())) == 36
    a, b = (validation_rows(cache, settings_of(validation_limit=10, seed=s)) for s in (0, 1))
    assert len(a) == 10 and list(a) == sorted(a) and list(a) != list(b)
    assert list(a) == list(validation_rows(cache, settings_of(validation_limit=10)))


def test_a_monitor_that_nobody_measures_names_the_nearest(cache, tmp_path):
    with pytest.raises(FgmcapsError, match=r"monitor 'fused/t2a/R@5' is not measured .did you mean 'fused/t2a/R@10'"):
        train(settings_of(monitor="fused/t2a/R@5"), cache, tmp_path, evaluation=constant)


def test_half_precision_needs_a_gpu(cache, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(FgmcapsError, match="precision fp16 needs a GPU"):
        train(settings_of(precision="fp16"), cache, tmp_path)


@pytest.mark.slow
def test_tensorboard_gets_losses_and_recall(cache, tmp_path):
    train(settings_of(epochs=1, tensorboard=True), cache, tmp_path)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"loss/step", "epoch/loss_frame", "validation/fused/t2a/R@10"} <= set(events.Tags()["scalars"])


@pytest.mark.slow
def test_progress_in_a_pipe_is_one_line_an_epoch_and_nothing_when_quiet(cache, tmp_path, capsys):
    train(settings_of(), cache, tmp_path / "a")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and lines[0].startswith("epoch 1/2: loss ") and "R@10 global" in lines[1]
    train(settings_of(), cache, tmp_path / "b", quiet=True)
    assert capsys.readouterr().err == ""

"""Threads that annotate at once get what each would get alone: some runners run several bundles in one process."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fgmcaps.annotators import annotate_clip, load_profile
from fgmcaps.annotators.base import Annotator
from fgmcaps.annotators.tools.once_per_clip import OncePerClip
from fgmcaps.pipeline.demo import demo_music
from fgmcaps.schemas import Key, ToolInfo


class Careless(Annotator):
    """Keeps what it works on in its model, as several tools do."""

    attribute = "key"
    sample_rate = 8000

    @property
    def info(self):
        return ToolInfo("careless", "1", "MIT")

    def _load(self):
        return {}

    def _estimate(self, model, samples):
        model["clip"] = float(samples[0])
        time.sleep(0.001)
        return Key(None), model["clip"], {}


def test_a_model_works_on_one_clip_at_a_time():
    clips = [np.full(8, n / 100, np.float32) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:  # objects of the same settings share the model
        found = list(pool.map(lambda clip: Careless().annotate(clip, 8000).confidence, clips))
    assert found == pytest.approx([n / 100 for n in range(40)])


def test_what_tools_share_is_computed_by_one_thread_at_a_time():
    inside = []

    def compute(samples):
        inside.append(1)
        most = len(inside)
        time.sleep(0.002)
        inside.pop()
        return most

    once = OncePerClip(compute)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(once, [np.zeros(1, np.float32) for _ in range(16)])) == {1}


def test_torch_keeps_the_number_of_threads_that_others_compute_with():
    import torch

    from fgmcaps.annotators.kernels.torch_threads import one_thread

    seen = []

    def other():
        with one_thread():
            started.set()
            left.wait()
            seen.append(torch.get_num_threads())

    started, left = threading.Event(), threading.Event()
    thread = threading.Thread(target=other)
    with one_thread():
        thread.start()
        started.wait()
    left.set()
    thread.join()
    assert seen == [1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["best", "permissive"])
def test_real_tools_say_the_same_alone_and_at_once(name):
    import soundfile

    profile = load_profile(name)
    clips = []
    for path in sorted(demo_music().rglob("*.opus"))[:10]:
        samples, rate = soundfile.read(path, dtype="float32", frames=480_000)
        clips.append((samples.mean(axis=1) if samples.ndim == 2 else samples, rate))
    alone = [annotate_clip(profile, *clip) for clip in clips]
    for threads in (2, 4):
        with ThreadPoolExecutor(threads) as pool:
            assert list(pool.map(lambda clip: annotate_clip(profile, *clip), clips)) == alone

"""A model folder that somebody else made: refused in one line that names the file, at once, and without its memory."""

import json
import resource
import struct
import time
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.training.encoders import make_audio_encoder, make_text_encoder
from fgmcaps.training.features.restore import restore_audio_encoder, restore_text_encoder
from fgmcaps.training.model.config import EncoderRecord, ModelConfig
from fgmcaps.training.model.model import CONFIG, ENCODER, HEADS, FigmaModel
from fgmcaps.training.settings import TrainSettings

SIZES = {"head_width": 16, "head_layers": 1, "head_heads": 2, "head_ffn": 8, "head_out": 4}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small model on the real encoders, spectral and MiniLM."""
    folder = tmp_path_factory.mktemp("good")
    audio, text = make_audio_encoder("spectral"), make_text_encoder("minilm")
    state = {"mean": torch.zeros(audio.dim), "scale": torch.ones(audio.dim)}
    config = ModelConfig.of(TrainSettings(**SIZES), EncoderRecord.of(audio), EncoderRecord.of(text))
    FigmaModel(config, state).save(folder)
    return folder


@pytest.fixture
def folder(good, tmp_path):
    """A copy to spoil."""
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def opened(folder: Path) -> FigmaModel:
    model = FigmaModel.load(folder)
    restore_audio_encoder(model)
    restore_text_encoder(model)
    return model


def refused(folder: Path, file: str) -> str:
    """The one line; it names the file, is of bounded length, and comes at once."""
    started = time.process_time()
    with pytest.raises(InvalidDataError) as caught:
        opened(folder)
    line = str(caught.value)
    assert file in line and len(line.splitlines()) == 1 and len(line) < 600, line
    assert time.process_time() - started < 30  # no limit of speed: a loop over 10^9 layers ends never
    return line


def put(value, *keys):
    def change(config):
        place = config
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        return json.dumps(config)

    return change


def without(*keys):
    def change(config):
        place = config
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]
        return json.dumps(config)

    return change


HUGE = 10**4000
CONFIGS = {
    "no heads": put(0, "head_heads"),
    "heads below 0": put(-1, "head_heads"),
    "heads that do not divide": put(3, "head_heads"),
    "10^9 heads": put(10**9, "head_heads"),
    "width 0": put(0, "head_width"),
    "width below 0": put(-5, "head_width"),
    "width 10^6": put(10**6, "head_width"),
    "width 2^63": put(2**63, "head_width"),
    "width of 4,000 digits": put(HUGE, "head_width"),
    "width of 10,000 digits": lambda c: json.dumps(c).replace('"head_width": 16', '"head_width": ' + "9" * 10_000),
    "width as text": put("16", "head_width"),
    "width as a fraction": put(16.5, "head_width"),
    "width as truth": put(True, "head_width"),
    "width as null": put(None, "head_width"),
    "width as a list": put([16], "head_width"),
    "another width": put(32, "head_width"),
    "10^9 layers": put(10**9, "head_layers"),
    "64 layers": put(64, "head_layers"),
    "layers below 0": put(-1, "head_layers"),
    "no layers": put(0, "head_layers"),
    "feed-forward 10^9": put(10**9, "head_ffn"),
    "out 10^9": put(10**9, "head_out"),
    "out 0": put(0, "head_out"),
    "dropout 5": put(5.0, "dropout"),
    "dropout 1": put(1.0, "dropout"),
    "dropout below 0": put(-0.1, "dropout"),
    "dropout NaN": put(float("nan"), "dropout"),
    "dropout infinite": put(float("inf"), "dropout"),
    "dropout 1e999": lambda c: json.dumps(c).replace('"dropout": 0.1', '"dropout": 1e999'),
    "temperature 0": put(0, "temperature"),
    "temperature below 0": put(-1.0, "temperature"),
    "temperature of 4,000 digits": put(HUGE, "temperature"),
    "alpha 2": put(2, "alpha"),
    "alpha NaN": put(float("nan"), "alpha"),
    "stride 0": put(0, "frame_stride"),
    "stride 10^9": put(10**9, "frame_stride"),
    "tokens 10^9": put(10**9, "max_tokens"),
    "tokens 0": put(0, "max_tokens"),
    "padding of another kind": put("none", "padding"),
    "padding as a number": put(1, "padding"),
    "format of another program": put("figma/2", "format"),
    "format as null": put(None, "format"),
    "an unknown key": put(1, "run_this"),
    "an unknown key of an encoder": put(1, "audio_encoder", "run_this"),
    "no audio encoder": without("audio_encoder"),
    "no text encoder": without("text_encoder"),
    "no width": without("head_width"),
    "no name": without("audio_encoder", "name"),
    "an encoder as text": put("spectral", "audio_encoder"),
    "an encoder as null": put(None, "text_encoder"),
    "an encoder that nobody knows": put("evil", "audio_encoder", "name"),
    "a name of a megabyte": put("x" * 500_000, "audio_encoder", "name"),
    "a name as a number": put(3, "text_encoder", "name"),
    "a name that is a path": put("../../etc/passwd", "audio_encoder", "name"),
    "encoder width 10^9": put(10**9, "audio_encoder", "dim"),
    "encoder width 0": put(0, "text_encoder", "dim"),
    "encoder width below 0": put(-384, "text_encoder", "dim"),
    "encoder settings as a list": put([], "audio_encoder", "settings"),
    "encoder tokens 10^9": put(10**9, "text_encoder", "settings", "max_tokens"),
    "encoder tokens as text": put("128", "text_encoder", "settings", "max_tokens"),
    "encoder tokens below 0": put(-1, "text_encoder", "settings", "max_tokens"),
    "encoder tokens as null": put(None, "text_encoder", "settings", "max_tokens"),
    "encoder parts of another kind": put({"a": 1}, "audio_encoder", "settings", "parts"),
    "another revision": put("evil==1", "text_encoder", "revision"),
    "licences as a list": put(["MIT"], "label_licences"),
    "licences as numbers": put({"tool": 1}, "label_licences"),
    "nesting": lambda c: "[" * 100_000,
    "closed nesting": lambda c: "[" * 100_000 + "]" * 100_000,
    "nesting inside": lambda c: json.dumps(c).replace('"label_licences": {}', '"label_licences": ' + '{"a":' * 50_000),
    "a list": lambda c: "[]",
    "a number": lambda c: "1",
    "null": lambda c: "null",
    "nothing": lambda c: "",
    "half of it": lambda c: json.dumps(c)[: len(json.dumps(c)) // 2],
    "YAML": lambda c: "head_width: 16",
    "ten megabytes": lambda c: json.dumps(c) + " " * 10_000_000,
    "a lone surrogate": lambda c: json.dumps(c).replace("spectral", "\\ud800"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_hostile_configuration_is_refused_in_one_line(folder, name):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(CONFIGS[name](config))
    file = HEADS if name in ("another width", "64 layers", "no layers") else CONFIG
    refused(folder, file)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00" * 100, b"\x80\x04pickle"])
def test_bytes_that_are_no_text_are_refused(folder, data):
    (folder / CONFIG).write_bytes(data)
    refused(folder, CONFIG)


def test_a_model_that_was_saved_is_read(folder):
    assert opened(folder).config.head_width == 16


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(10**8, 10**30), st.floats(), st.text(max_size=20),
        st.sampled_from([0, -1, 1, 2, 3, 16, 64, 65, "spectral", "minilm", "masked", 1e308, 2**31, 2**63]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip


def places(config):
    """The ways to every value of a configuration."""
    found = []
    for key, value in config.items():
        found.append((key,))
        if isinstance(value, dict):
            found += [(key, *rest) for rest in places(value)]
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_it_a_configuration_is_read_or_refused(folder, good, data):
    """Any value at any place: a model, or our error; never another exception, never much memory."""
    config = json.loads((good / CONFIG).read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(config)))
        put(data.draw(values), *place)(config)
        if not all(isinstance(config.get(k), dict) for k in ("audio_encoder", "text_encoder")):
            break
    (folder / CONFIG).write_text(json.dumps(config))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        opened(folder)
    except FgmcapsError as error:
        assert len(str(error).splitlines()) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB


def header_of(tensors: bytes) -> tuple[dict, bytes]:
    size = struct.unpack("<Q", tensors[:8])[0]
    return json.loads(tensors[8 : 8 + size]), tensors[8 + size :]


def with_header(header, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def first(header):
    return next(name for name in header if name != "__metadata__")


def edited(change):
    def spoil(data: bytes) -> bytes:
        header, body = header_of(data)
        changed = change(header)
        return with_header(header if changed is None else changed, body)

    return spoil


HEADERS = {
    "nothing": lambda d: b"",
    "seven bytes": lambda d: d[:7],
    "half": lambda d: d[: len(d) // 2],
    "one byte less": lambda d: d[:-1],
    "one byte more": lambda d: d + b"x",
    "a header of 2^63 bytes": lambda d: struct.pack("<Q", 2**63) + d[8:],
    "a header beyond the file": lambda d: struct.pack("<Q", len(d) * 2) + d[8:],
    "a header that is no JSON": lambda d: with_header(b"{" * 1000, b""),
    "a nested header": lambda d: with_header(b'{"a":' * 50_000, b""),
    "an empty header": lambda d: with_header({}, b""),
    "a pickle": lambda d: b"\x80\x04" + d,
    "a zip": lambda d: b"PK\x03\x04" + d,
    "another type": edited(lambda h: h[first(h)].update(dtype="F64")),
    "no type at all": edited(lambda h: h[first(h)].update(dtype="EVIL")),
    "a shape of 10^12": edited(lambda h: h[first(h)].update(shape=[10**12, 10**12])),
    "a shape below 0": edited(lambda h: h[first(h)].update(shape=[-1])),
    "offsets beyond the file": edited(lambda h: h[first(h)].update(data_offsets=[0, 10**15])),
    "offsets that go back": edited(lambda h: h[first(h)].update(data_offsets=[100, 0])),
    "a tensor less": edited(lambda h: h.pop(first(h)) and None),
    "another name": edited(lambda h: h.update({"evil": h.pop(first(h))})),
    "10,000 tensors more": edited(lambda h: h.update({f"t{n}": h[first(h)] for n in range(10_000)})),
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("file", [HEADS, ENCODER])
def test_a_hostile_file_of_tensors_is_refused_in_one_line(folder, file, name):
    (folder / file).write_bytes(HEADERS[name]((folder / file).read_bytes()))
    # Statistics that can be read and do not fit are named by the configuration that asks for them.
    refused(folder, CONFIG if file == ENCODER and name in ("an empty header", "another name") else file)


@pytest.mark.parametrize("kind", ["nan", "infinity", "integers"])
def test_weights_that_are_no_numbers_are_refused(folder, kind):
    weights = {k: v.clone() for k, v in FigmaModel.load(folder).state_dict().items()}
    name = "audio_head.output.bias"
    weights[name] = (
        weights[name].to(torch.int64)
        if kind == "integers"
        else torch.full_like(weights[name], float(kind.replace("infinity", "inf")))
    )
    (folder / HEADS).write_bytes(save(weights))
    assert name in refused(folder, HEADS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_statistics_that_cannot_be_are_refused(folder, value):
    dim = make_audio_encoder("spectral").dim
    (folder / ENCODER).write_bytes(save({"mean": torch.zeros(dim), "scale": torch.full((dim,), value)}))
    refused(folder, CONFIG)


def test_statistics_of_a_gigabyte_are_not_read(folder):
    with (folder / ENCODER).open("r+b") as handle:
        handle.truncate(1 << 30)  # sparse
    refused(folder, ENCODER)


def test_a_model_of_others_names_no_folder_of_this_machine(folder, tmp_path):
    """An encoder's option `path` is the user's alone."""
    config = json.loads((folder / CONFIG).read_text())
    config["text_encoder"] = {"name": "e5", "revision": "local:0", "dim": 1024, "settings": {"path": str(tmp_path)}}
    config["text_encoder"]["settings"]["repository"] = "local"
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(InvalidDataError):
        FigmaModel.load(folder)  # the weights are of another width
    model = FigmaModel(ModelConfig.model_validate(config))
    assert str(tmp_path) not in str(restore_options(model))


def restore_options(model):
    from fgmcaps.training.encoders import TEXT_ENCODERS
    from fgmcaps.training.features.restore import _options

    return _options(model.config.text_encoder, TEXT_ENCODERS, {})

"""Runs in Omnizart's environment: samples in, chord spans out. Omnizart's own transcription, model loaded once."""

import importlib
import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from fgmcaps.common.isolated.framing import Array, Message
from fgmcaps.common.isolated.server import Channel, Tool, serve

RATE = 44_100


class _Recorder:
    """The loaded model; keeps the chord logits of the last prediction, which Omnizart drops."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.logits: Array | None = None

    def predict(self, segments: Array) -> Any:
        outputs = self._model.predict(segments, verbose=0)
        self.logits = np.asarray(outputs[2], dtype=np.float64)
        return outputs


def main(channel: Channel) -> None:
    """Load the model that FGMCAPS_OMNIZART_MODEL names, then serve."""
    # `from omnizart.chord import app` would give an object of that name, no module.
    app: Any = importlib.import_module("omnizart.chord.app")
    chroma: Any = importlib.import_module("omnizart.feature.chroma")

    folder = Path(os.environ["FGMCAPS_OMNIZART_MODEL"])
    transcription = app.ChordTranscription()
    model, settings = transcription._load_model(str(folder), custom_objects=transcription.custom_objects)
    recorder = _Recorder(model)
    spans: list[dict[str, Any]] = []
    clip: list[Array] = []

    # Omnizart's transcribe() goes from file to file and loads the model each time; these four seams keep it in memory.
    transcription._load_model = lambda *_, **__: (recorder, settings)
    transcription._output_midi = lambda *_, **__: "in-memory.mid"
    app.write_csv = lambda found, **_: spans.extend(found)
    chroma.load_audio = lambda *_, **__: (clip[0], RATE)

    def chords(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
        if args["sample_rate"] != RATE:
            raise ValueError(f"Omnizart's chroma is made at {RATE} Hz, got {args['sample_rate']} Hz")
        spans.clear()
        clip[:] = [np.array(arrays["samples"])]
        transcription.transcribe("in-memory.wav", model_path=str(folder), output=".")
        times = np.array([(span["start"], span["end"]) for span in spans], dtype=np.float64).reshape(-1, 2)
        labels = [str(span["chord"]) for span in spans]
        return Message({"labels": labels, "confidence": _confidence(recorder.logits)}, {"times": times})

    chords({"sample_rate": RATE}, {"samples": np.zeros(RATE, np.float32)})  # traces the graph, before the first clip
    names = ("omnizart", "tensorflow-cpu", "tf_keras", "numpy", "vamp")
    serve(channel, Tool("omnizart", {name: metadata.version(name) for name in names}), {"chords": chords})


def _confidence(logits: Array | None) -> float | None:
    """Mean over the frames of the softmax's largest value; None if the model gives no logits over chords."""
    if logits is None or logits.ndim != 3 or logits.shape[-1] < 2:
        return None
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return float((1.0 / shifted.sum(axis=-1)).mean())

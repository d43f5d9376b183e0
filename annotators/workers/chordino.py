"""Runs in Chordino's environment: samples in, chord spans out, through the Vamp plug-in inside chord-extractor."""

import importlib
import importlib.util
import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from fgmcaps.common.isolated.framing import Array, Message
from fgmcaps.common.isolated.server import Channel, HandlerError, Tool, serve

PLUGIN = "nnls-chroma:chordino"
# chord-extractor's own defaults, and labels in Harte's syntax.
PARAMETERS = {
    "useNNLS": 1,
    "rollon": 1,
    "tuningmode": 0,
    "whitening": 1,
    "s": 0.7,
    "boostn": 0.1,
    "usehartesyntax": 1,
}


def main(channel: Channel) -> None:
    """Find the plug-in, then serve."""
    package = importlib.util.find_spec("chord_extractor")
    if package is None or not package.submodule_search_locations:
        raise HandlerError("MissingPackage", "chord-extractor is not installed in this environment")
    # Vamp reads this once, when it is imported.
    os.environ["VAMP_PATH"] = str(Path(package.submodule_search_locations[0]) / "_lib")
    vamp = importlib.import_module("vamp")

    if PLUGIN not in vamp.list_plugins():
        raise HandlerError("MissingPlugin", f"the plug-in {PLUGIN} does not load from {os.environ['VAMP_PATH']}")

    def chords(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
        samples, rate = np.array(arrays["samples"]), int(args["sample_rate"])
        changes = vamp.collect(samples, rate, PLUGIN, parameters=PARAMETERS)["list"]
        starts = [float(change["timestamp"]) for change in changes]
        times = np.array([*zip(starts, [*starts[1:], len(samples) / rate], strict=True)], np.float64).reshape(-1, 2)
        return Message({"labels": [str(change["label"]) for change in changes]}, {"times": times})

    names = ("chord-extractor", "vamp", "numpy")
    serve(channel, Tool("chordino", {name: metadata.version(name) for name in names}), {"chords": chords})

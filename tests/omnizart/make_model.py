"""Run by Omnizart's Python: a SavedModel of its chord model's signature that matches chroma to triads.

make_model.py FOLDER: the folder's name must begin with ``chord``.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import omnizart
import tensorflow as tf
from omnizart.constants.feature import CHORD_INT_MAPPING

STEPS, WIDTH, BINS = 100, 21, 24
TREBLE = slice(12, 24)  # NNLS chroma: 12 bass bins, then 12 treble bins, each from A upwards


def templates() -> np.ndarray:
    """float32[12, 26]: unit-length triads by treble bin; N and X have none."""
    out = np.zeros((12, 26), np.float32)
    names = ["A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#"]
    for label, number in CHORD_INT_MAPPING.items():
        root, _, quality = label.partition(":")
        if quality:
            for step in (0, 4 if quality == "maj" else 3, 7):
                out[(names.index(root) + step) % 12, number] = 3**-0.5
    return out


def build() -> tf.keras.Model:
    """Input float32[n, 100, 504]; outputs chord, chord change, and the logits of both."""
    frames = tf.keras.Input((STEPS, WIDTH * BINS))
    centre = tf.reshape(frames, (-1, STEPS, WIDTH, BINS))[:, :, WIDTH // 2, TREBLE]
    norm = tf.sqrt(tf.reduce_sum(centre**2, axis=-1, keepdims=True))
    layer = tf.keras.layers.Dense(26, use_bias=False)
    logits = layer(centre / (norm + 1e-9)) * 20.0
    silent = tf.one_hot(CHORD_INT_MAPPING["N"], 26) * 20.0 * tf.cast(norm < 1e-6, tf.float32)
    logits = logits + silent
    chord = tf.argmax(logits, axis=-1, output_type=tf.int32)
    change = logits[:, :, 0] * 0.0
    model = tf.keras.Model(frames, [chord, tf.cast(change, tf.int32), logits, change])
    layer.set_weights([templates()])
    return model


folder = Path(sys.argv[1])
build().save(folder, save_format="tf")
shutil.copy(Path(omnizart.MODULE_PATH) / "checkpoints/chord/chord_v1/configurations.yaml", folder)

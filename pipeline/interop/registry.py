"""All import formats by name."""

from pipeline.interop.base import ImportFormat
from pipeline.interop.benchmark import BENCHMARK
from pipeline.interop.fma import FMA
from pipeline.interop.fmacaps import FMACAPS
from pipeline.interop.jamendo import JAMENDO
from pipeline.interop.musicbench import MUSICBENCH

FORMATS: dict[str, ImportFormat] = {f.name: f for f in (MUSICBENCH, FMACAPS, BENCHMARK, JAMENDO, FMA)}

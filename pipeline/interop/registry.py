"""All import formats by name."""

from fgmcaps.pipeline.interop.base import ImportFormat
from fgmcaps.pipeline.interop.benchmark import BENCHMARK
from fgmcaps.pipeline.interop.fma import FMA
from fgmcaps.pipeline.interop.fmacaps import FMACAPS
from fgmcaps.pipeline.interop.jamendo import JAMENDO
from fgmcaps.pipeline.interop.musicbench import MUSICBENCH

FORMATS: dict[str, ImportFormat] = {f.name: f for f in (MUSICBENCH, FMACAPS, BENCHMARK, JAMENDO, FMA)}

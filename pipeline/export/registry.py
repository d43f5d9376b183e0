"""All export formats by name."""

from pipeline.export.base import ExportFormat
from pipeline.export.csv_table import CSV
from pipeline.export.jams_files import JAMS
from pipeline.export.mteb import MTEB
from pipeline.export.musicbench import MUSICBENCH
from pipeline.export.webdataset import WEBDATASET

FORMATS: dict[str, ExportFormat] = {f.name: f for f in (JAMS, CSV, WEBDATASET, MUSICBENCH, MTEB)}

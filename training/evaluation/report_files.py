"""Write the report of an evaluation: JSON for programs, Markdown and pictures for people."""

import json
from pathlib import Path

from fgmcaps.common.files import write_atomically
from fgmcaps.training.evaluation.report_build import EvaluationReport
from fgmcaps.training.evaluation.report_plots import pictures
from fgmcaps.training.evaluation.report_text import markdown


def write_report(report: EvaluationReport, folder: Path) -> list[Path]:
    """Write ``evaluation.json``, ``evaluation.md`` and the pictures into ``folder``; returns their paths."""
    drawn = pictures(report)
    text = markdown(report) + "".join(f"\n![{name.removesuffix('.png')}]({name})\n" for name in drawn)
    files = {"evaluation.md": text.encode(), **drawn}
    files["evaluation.json"] = (json.dumps(report.to_dict(), indent=1, allow_nan=False) + "\n").encode()
    for name, content in files.items():
        write_atomically(folder / name, content)
    return [folder / name for name in files]

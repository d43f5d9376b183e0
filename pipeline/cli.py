"""The ``fgmcaps`` command. A command is one file of ``pipeline/commands`` and one line here."""

import click

from fgmcaps.common.command_group import CommandGroup

EPILOG = """\b
Exit codes:
    0  done
    2  wrong command or input
    3  nothing to build
    4  missing tool, full disk or dead server (run again to continue)
    5  a dataset or caption is not valid
  130  interrupted (run again to continue)
"""
COMMANDS = {
    name: f"fgmcaps.pipeline.commands.{module}"
    for name, module in {
        "build": "build:build",
        "annotate": "build:annotate",
        "caption": "build:caption",
        "annotate-file": "annotate_file:annotate_file",
        "validate": "validate:validate",
        "refilter": "refilter:refilter",
        "report": "report:report",
        "stats": "stats:stats",
        "check-captions": "check_captions:check_captions",
        "push": "hub:push",
        "pull": "hub:pull",
        "export": "export:export",
        "import": "import_:import_",
        "evaluate-labels": "evaluate_labels:evaluate_labels",
        "calibrate": "calibrate:calibrate",
        "doctor": "doctor:doctor",
    }.items()
}


@click.group(
    "fgmcaps",
    cls=CommandGroup,
    commands_at=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="fgmcaps")
def main() -> None:
    """Build FGMCaps datasets: a folder of music in; Parquet shards of 10 s clips with tempo, meter, key, chords and a
    checked caption out.

    \b
      fgmcaps build music/ out/         annotate, caption, write; again: continue
      fgmcaps annotate-file song.mp3    annotate one file and print the result
      fgmcaps validate out/             check a finished dataset end to end
    """

"""The ``figma`` command. A command is one file of ``training/commands`` and one line here."""

import click

from fgmcaps.common.command_group import CommandGroup

EPILOG = """\b
Exit codes:
    0  done
    2  wrong command or input
    3  no usable rows
    4  missing package or model, full disk, no memory (run again to continue)
    5  damaged or unfit data, cache or model
  130  interrupted (run again to continue)
"""
COMMANDS = {
    name: f"fgmcaps.training.commands.{module}"
    for name, module in {
        "cache": "cache:cache",
        "train": "train:train",
        "eval": "eval:evaluate",
        "search": "search:search",
        "explain": "explain:explain",
        "encode": "encode:encode",
        "push": "push:push",
        "pull": "pull:pull",
        "doctor": "doctor:doctor",
    }.items()
}


@click.group(
    "figma",
    cls=CommandGroup,
    commands_at=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="fgmcaps")
def main() -> None:
    """Train and use FIGMA, the retriever: published FGMCaps shards in; music found by text out.

    \b
      figma train out/ model/                    compute features, train; again: continue
      figma eval model/ out/                     recall with intervals
      figma search model/ out/ "F minor, 3/4"    clips that match a text
    """

"""``fgmcaps doctor``."""

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.errors import MachineError
from fgmcaps.pipeline.commands.options import PROFILES


@click.command("doctor", short_help="What works here, and what brings the rest.")
@click.option(
    "--profile", type=Choice(PROFILES), default="best", show_default=True, help="The profile you want to use."
)
@click.option("--json", "as_json", is_flag=True, help="The findings as one JSON document.")
def doctor(profile: str, as_json: bool) -> None:
    """Say which tools, decoders, weights and GPUs are there, which command brings what is not, and which profile works.

    Exit code 4 if the chosen profile does not work. The retriever has its own: `figma doctor`.
    """
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.common.doctor import as_json as findings_json
    from fgmcaps.common.doctor import show
    from fgmcaps.common.terminal import echo
    from fgmcaps.pipeline.doctor import findings

    found = list(findings(profile))
    if as_json:
        echo(findings_json(found))
    else:
        show(found, SafeConsole(soft_wrap=True))
    broken = [finding for finding in found if finding.state == "missing"]
    if broken:
        raise MachineError(f"profile {profile} does not work here: {broken[0].detail}")

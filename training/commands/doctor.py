"""``figma doctor``."""

import click

from fgmcaps.common.errors import MachineError


@click.command("doctor", short_help="What works here, and what brings the rest.")
@click.option("--encoder", "encoders", multiple=True, metavar="NAME",
              help="An encoder you want to use (default: spectral and minilm, which need no download).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The findings as one JSON document.")
def doctor(encoders: tuple[str, ...], as_json: bool) -> None:
    """Say which encoders, weights and GPUs are there, and which command brings what is not.

    Exit code 4 if a chosen encoder does not work without a download or an installation.
    """
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.common.doctor import as_json as findings_json
    from fgmcaps.common.doctor import show
    from fgmcaps.common.terminal import echo
    from fgmcaps.training.doctor import findings

    chosen = encoders or ("spectral", "minilm")
    found = list(findings(chosen))
    if as_json:
        echo(findings_json(found))
    else:
        show(found, SafeConsole(soft_wrap=True))
    broken = [finding for finding in found if finding.state == "missing"]
    if broken:
        raise MachineError(f"encoder {broken[0].name} does not work here: {broken[0].detail}")

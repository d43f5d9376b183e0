"""``figma doctor``."""

import click

from fgmcaps.common.errors import MachineError


@click.command("doctor", short_help="What works here, and what brings the rest.")
@click.option("--encoder", "encoders", multiple=True, metavar="NAME",
              help="An encoder you want to use (default: spectral and minilm, which need no download).")  # fmt: skip
def doctor(encoders: tuple[str, ...]) -> None:
    """Say which encoders, weights and GPUs are there, and which command brings what is not.

    Exit code 4 if a chosen encoder does not work without a download or an installation.
    """
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.common.doctor import show
    from fgmcaps.training.doctor import findings

    chosen = encoders or ("spectral", "minilm")
    found = list(findings(chosen))
    show(found, SafeConsole(soft_wrap=True))
    broken = [finding for finding in found if finding.state == "missing"]
    if broken:
        raise MachineError(f"encoder {broken[0].name} does not work here: {broken[0].detail}")

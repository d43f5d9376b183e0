"""The ``figma`` command. A command is one file of ``training/commands``, imported when it is asked for."""

import importlib
import logging
import os
import sys
import warnings
from typing import Any

import click

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_USAGE, FgmcapsError

COMMANDS = ("cache", "train", "eval", "search", "explain", "encode", "push")  # in the order of use
EPILOG = """\b
Exit codes:
    0  done
    2  wrong command or input
    3  no usable rows
    4  missing package or model, full disk, no memory (run again to continue)
    5  damaged or unfit data, cache or model
  130  interrupted (run again to continue)
"""


class FigmaGroup(click.Group):
    """Finds commands by name, suggests the nearest one, and turns our errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*(name for name in COMMANDS if self.get_command(ctx, name)), *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        try:
            module = importlib.import_module(f"fgmcaps.training.commands.{cmd_name}")
        except ModuleNotFoundError as error:
            if error.name != f"fgmcaps.training.commands.{cmd_name}":
                raise
            return None
        found = (value for value in vars(module).values() if isinstance(value, click.Command))
        return next((command for command in found if command.name == cmd_name), None)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            raise FgmcapsError(f"no such command: {args[0]}{did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        warnings.filterwarnings("ignore")
        logging.basicConfig(level=logging.ERROR, format="%(levelname)s: %(message)s")
        logging.getLogger("training").setLevel(logging.WARNING)
        try:
            code = super().main(*args, **extra)
        except FgmcapsError as error:
            code = fail(str(error), error.exit_code)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            of = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
            code = fail(error.format_message() + (f"; see `{of} --help`" if of else ""), EXIT_USAGE)
        except (KeyboardInterrupt, click.Abort):
            code = fail("interrupted; run the same command again to continue", EXIT_INTERRUPTED)
        except OSError as error:  # a full disk, a folder taken away
            where = f"{os.fspath(error.filename)}: " if isinstance(error.filename, str | os.PathLike) else ""
            code = fail(f"{where}{error.strerror or error}", EXIT_ENVIRONMENT)
        sys.exit(code if isinstance(code, int) else 0)


def fail(message: str, code: int) -> int:
    """One line on standard error."""
    click.echo(f"figma: {' '.join(message.split())}", err=True)
    return code


@click.group(cls=FigmaGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fgmcaps")
def main() -> None:
    """Train and use FIGMA, the retriever: published FGMCaps shards in; music found by text out.

    \b
      figma train out/ model/                    compute features, train; again: continue
      figma eval model/ out/                     recall with intervals
      figma search model/ out/ "F minor, 3/4"    clips that fit a text
    """


if __name__ == "__main__":
    main()

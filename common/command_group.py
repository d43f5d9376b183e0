"""The command line of both commands: commands that load when they are asked for, and errors as one line.

A command is one file of a ``commands`` folder. Its imports wait until it runs, so that ``--help`` answers at once.
"""

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import click

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_USAGE, FgmcapsError
from fgmcaps.common.extras import remedy_for
from fgmcaps.common.scrub import scrub
from fgmcaps.common.terminal import SafeFormatter, echo, prepare_streams


class Choice(click.Choice[str]):
    """A choice whose error names the nearest one."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        return super().get_invalid_choice_message(value, ctx) + did_you_mean(str(value), map(str, self.choices))


class CommandGroup(click.Group):
    """Finds commands by name, suggests the nearest one, and turns our errors into one line and an exit code.

    Args:
        commands_at: name of each command, in the order of use -> ``package.module:attribute`` of its click command.
    """

    def __init__(self, *args: Any, commands_at: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.commands_at = dict(commands_at)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_at:
            return None
        module, _, attribute = self.commands_at[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self.commands_at:
            raise FgmcapsError(f"no such command: {args[0]}{did_you_mean(args[0], self.commands_at)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        extra.setdefault("prog_name", self.name)
        warnings.filterwarnings("ignore")
        prepare_streams()
        handler = logging.StreamHandler()
        handler.setFormatter(SafeFormatter("%(levelname)s: %(message)s"))
        logging.basicConfig(level=logging.ERROR, handlers=[handler])
        logging.getLogger("fgmcaps").setLevel(logging.WARNING)
        try:
            code = super().main(*args, **extra)
        except FgmcapsError as error:
            code = self._fail(str(error), error.exit_code)
        except ModuleNotFoundError as error:
            module = (error.name or "").partition(".")[0]
            remedy = remedy_for(module)
            if remedy is None:
                raise
            code = self._fail(f"{module} is not installed; run {remedy} (or `make setup`)", EXIT_ENVIRONMENT)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
            code = self._fail(
                error.format_message().rstrip(".") + (f"; see `{command} --help`" if command else ""), EXIT_USAGE
            )
        except (KeyboardInterrupt, click.Abort):
            code = self._fail("interrupted; run the same command again to continue", EXIT_INTERRUPTED)
        except OSError as error:  # a folder taken away, no rights
            where = f"{os.fspath(error.filename)}: " if isinstance(error.filename, str | os.PathLike) else ""
            code = self._fail(f"{where}{error.strerror or error}", EXIT_ENVIRONMENT)
        sys.exit(code if isinstance(code, int) else 0)

    def _fail(self, message: str, code: int) -> int:
        """Print ``message`` as one line on standard error; returns ``code``."""
        echo(f"{self.name}: {scrub(' '.join(message.split()))}", err=True)
        return code

"""Options that several commands have."""

import click

device_option = click.option(
    "--device", default="auto", show_default=True, metavar="NAME", help="auto (a GPU if any), cpu, cuda, cuda:1, mps."
)

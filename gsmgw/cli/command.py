# SPDX-License-Identifier: Apache-2.0
"""Commands of click's whose help ends with examples as they are typed, and what they share."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import ClassVar

import click

#: What a program asks of every command that prints something.
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class _WithExamples(click.Command):
    """Shows `epilog` as it stands instead of filling its lines."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the examples."""
        if not self.epilog:
            return
        with formatter.section("Examples"):
            for line in self.epilog.splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Command(_WithExamples):
    """A command with examples."""


class Group(_WithExamples, click.Group):
    """A command with commands below it, and examples."""

    command_class = Command


class LazyGroup(Group):
    """Commands that are imported when they are asked for, so that none pays for the others."""

    places: ClassVar[Mapping[str, str]]  #: name: module and function

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order in which people meet them."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is no such one."""
        place = self.places.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, name = place.split(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

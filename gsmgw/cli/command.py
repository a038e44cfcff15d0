# SPDX-License-Identifier: Apache-2.0
"""A command of click's whose help ends with examples, line by line as they are typed."""

from __future__ import annotations

import click


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

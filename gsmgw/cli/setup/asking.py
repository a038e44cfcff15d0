# SPDX-License-Identifier: Apache-2.0
"""Questions to the person at the terminal; each has a flag, and --yes asks none."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

from gsmgw.cli import display, exits


@contextlib.contextmanager
def _answered() -> Iterator[None]:
    """Say what to do where nobody is there who could answer; Ctrl-C stays what it is."""
    try:
        yield
    except click.Abort as error:
        if sys.stdin.isatty():
            raise
        raise exits.CommandError(
            "nobody answers here; --yes asks nothing, and each question has an option", exits.USAGE
        ) from error


class Asker:
    """Asks, or takes the answer from a flag or a default."""

    def __init__(self, *, is_silent: bool) -> None:
        self.is_silent = is_silent

    def word(
        self,
        question: str,
        flag: str,
        *,
        given: str | None,
        default: str | None,
        read: Callable[[object], str],
    ) -> str | None:
        """Return a checked answer; None if there is none and none is needed.

        Args:
            question: as a person reads it.
            flag: the option that answers it.
            given: what the option says.
            default: what counts where nothing is answered; None: nothing.
            read: checks an answer; raises ValueError.

        Raises:
            CommandError: the option's value is wrong.
        """
        if given is not None:
            try:
                return read(given)
            except ValueError as error:
                raise exits.CommandError(f"{flag} {given}: {error}", exits.USAGE) from error
        if self.is_silent:
            return default
        while True:
            with _answered():
                answer = click.prompt(
                    question, default=default or "", show_default=default is not None
                ).strip()
            if not answer:
                return default
            try:
                return read(answer)
            except ValueError as error:
                click.echo(f"  {display.safe(error)}")

    def agrees(self, question: str, *, given: bool | None = None) -> bool:
        """Return whether something is to be done; yes, unless a person or a flag says no."""
        if given is not None:
            return given
        if self.is_silent:
            return True
        with _answered():
            return click.confirm(question, default=True)

    def secret(self, question: str, read: Callable[[object], str]) -> str | None:
        """Return a checked answer that is not shown while it is typed; None for none."""
        if self.is_silent:
            return None
        while True:
            with _answered():
                answer = click.prompt(
                    question, default="", hide_input=True, show_default=False
                ).strip()
            if not answer:
                return None
            try:
                return read(answer)
            except ValueError as error:
                click.echo(f"  {display.safe(error)}")

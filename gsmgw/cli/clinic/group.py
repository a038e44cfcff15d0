# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic`: its commands, each found when it is typed."""

from __future__ import annotations

import click

from gsmgw.cli import command

#: Command: where it is written.
COMMANDS = {
    "tasks": "gsmgw.cli.clinic.work:tasks",
    "task": "gsmgw.cli.clinic.work:task",
    "calls": "gsmgw.cli.clinic.calls:calls",
    "thread": "gsmgw.cli.clinic.talk:thread",
    "say": "gsmgw.cli.clinic.talk:say",
    "replies": "gsmgw.cli.clinic.answers:replies",
    "visits": "gsmgw.cli.clinic.visits:visits",
    "visit": "gsmgw.cli.clinic.visits:visit",
    "patient": "gsmgw.cli.clinic.visits:patient",
    "requests": "gsmgw.cli.clinic.visits:requests",
    "stats": "gsmgw.cli.clinic.answers:stats",
    "templates": "gsmgw.cli.clinic.texts:templates",
    "read": "gsmgw.cli.clinic.reading:read",
    "consent": "gsmgw.cli.clinic.talk:consent",
    "export": "gsmgw.cli.clinic.law:export",
    "forget": "gsmgw.cli.clinic.law:forget",
}


class ClinicGroup(command.LazyGroup):
    """The commands of `COMMANDS`."""

    places = COMMANDS


@click.group(
    "clinic",
    cls=ClinicGroup,
    epilog="""\
gsmgw clinic tasks
gsmgw clinic task done 17 --owner Ewa
gsmgw clinic thread +48500100211
""",
)
def clinic() -> None:
    """A clinic's day: work, visits, answers, calls, and the law."""

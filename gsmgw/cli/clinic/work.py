# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic tasks` and `task`: the work of people, seen, taken and closed."""

from __future__ import annotations

import click

from gsmgw.cli import command, display, exits, session
from gsmgw.cli.clinic import office
from gsmgw.clinic.model import TaskCode, TaskStatus

COLUMNS = (
    *("id", "code", "phone", "patient_id", "first", "about", "start", "note", "status", "owner"),
    *("due", "attempts", "created_at", "closed_at", "outcome"),
)
_ids_argument = click.argument("ids", metavar="ID...", nargs=-1, required=True, type=office.ID)
_owner_option = click.option(
    "--owner", metavar="NAME", help="Whose it is; else who has taken it, else your login."
)


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic tasks
gsmgw clinic tasks --all --json
""",
)
@click.option("--all", "is_all", is_flag=True, help="Those that are closed, too.")
@command.json_option
@session.pass_session
def tasks(current: session.Session, is_all: bool, as_json: bool) -> None:
    """List the work that waits for people, in order of arrival."""
    from gsmgw.store.clinic import lists

    office.config(current)
    rows = lists.work(current.database, "" if is_all else "9999")
    if as_json:
        display.print_json([display.plain(row, COLUMNS) for row in rows])
        return
    display.print_table(
        ("id", "code", "due", "phone", "first", "visit", "owner", "note"),
        (
            (
                row["id"],
                row["code"] if row["closed_at"] is None else f"{row['code']} ({row['status']})",
                office.short_time(row["due"], current),
                row["phone"],
                row["first"],
                office.day_time(row["start"], current),
                row["owner"],
                display.safe_cell(row["note"]),
            )
            for row in rows
        ),
        wide="note",
        fold=True,
    )


@click.group(
    cls=command.Group,
    epilog="""\
gsmgw clinic task take 17 --owner Ewa
gsmgw clinic task done 17 --owner Ewa --note "moved to Friday"
gsmgw clinic task add callback --phone +48500100211 --note "asks for a referral"
""",
)
def task() -> None:
    """Take, close and make work."""


@task.command(
    epilog="""\
gsmgw clinic task take 17 --owner Ewa
""",
)
@_ids_argument
@_owner_option
@office.who_option
@session.pass_session
def take(current: session.Session, ids: tuple[int, ...], owner: str | None, who: str) -> int:
    """Give tasks an owner: others see that somebody is at it."""
    from gsmgw.store import events
    from gsmgw.store.clinic import tasks as rows

    office.config(current)
    code = exits.OK
    for task_id in ids:
        with current.database.write() as tx:
            is_open = rows.take(tx, task_id, owner or who)
            if is_open:
                events.add(tx, "task.taken", task=task_id, who=who)
            else:
                code = _complain(rows.get(tx, task_id), task_id)
        if is_open:
            click.echo(display.safe(f"task {task_id} is {owner or who}'s"))
    return code


@task.command(
    epilog="""\
gsmgw clinic task done 17
gsmgw clinic task done 17 18 --owner Ewa --note "rang, comes on Friday"
""",
)
@_ids_argument
@_owner_option
@click.option("--note", metavar="TEXT", default="done", help="What came of it.")
@office.who_option
@session.pass_session
def done(
    current: session.Session, ids: tuple[int, ...], owner: str | None, note: str, who: str
) -> int:
    """Close tasks: they are done."""
    return _close(current, ids, owner, who, (note, TaskStatus.COMPLETED))


@task.command(
    epilog="""\
gsmgw clinic task cancel 17 --note "asked twice"
""",
)
@_ids_argument
@_owner_option
@click.option("--note", metavar="TEXT", default="cancelled", help="Why.")
@office.who_option
@session.pass_session
def cancel(
    current: session.Session, ids: tuple[int, ...], owner: str | None, note: str, who: str
) -> int:
    """Close tasks: nothing has to be done any more."""
    return _close(current, ids, owner, who, (note, TaskStatus.CANCELLED))


def _close(
    current: session.Session,
    ids: tuple[int, ...],
    owner: str | None,
    who: str,
    how: tuple[str, TaskStatus],
) -> int:
    """Close tasks; whoever has taken one stays its owner, unless another is named."""
    from gsmgw.store import events
    from gsmgw.store.clinic import tasks as rows

    office_work, code = office.work(current), exits.OK
    outcome, status = how
    for task_id in ids:
        with current.database.write() as tx:
            row = rows.get(tx, task_id)
            name = owner or (row and row["owner"]) or who
            is_open = office_work.close(tx, task_id, who=name, outcome=outcome, status=status)
            if is_open and name != who:
                events.add(tx, "task.reported", task=task_id, who=who, owner=name)
            if not is_open:
                code = _complain(row, task_id)
        if is_open:
            click.echo(f"task {task_id} {status.value}")
    return code


def _complain(row: display.Row | None, task_id: int) -> int:
    if row is None:
        exits.complain(f"gsmgw: there is no task {task_id}; see gsmgw clinic tasks")
    else:
        exits.complain(f"gsmgw: task {task_id} is {row['status']} already")
    return exits.DATA


@task.command(
    epilog="""\
gsmgw clinic task add callback --phone +48500100211 --note "asks for a referral"
gsmgw clinic task add review --patient 4711
""",
)
@click.argument("code", type=click.Choice([code.value for code in TaskCode]))
@click.option("--phone", "number", metavar="PHONE", help="Whom it is about.")
@click.option("--patient", metavar="PATIENT", help="Whom it is about, by the clinic's number.")
@click.option("--visit", metavar="VISIT", help="The visit that it is about.")
@click.option("--note", metavar="TEXT", help="What is to be done.")
@office.who_option
@session.pass_session
def add(
    current: session.Session,
    code: str,
    number: str | None,
    patient: str | None,
    visit: str | None,
    note: str | None,
    who: str,
) -> None:
    """Make a task; whoever sees to its kind is told by SMS, as for any other."""
    from gsmgw.store import events
    from gsmgw.store.clinic import people, visits
    from gsmgw.store.clinic.tasks import NewTask

    office_work = office.work(current)
    phone = None if number is None else office.phone(current, number)
    with current.database.write() as tx:
        about = None if visit is None else visits.get(tx, visit)
        if visit is not None and about is None:
            raise exits.CommandError(f"there is no visit {visit}", exits.DATA)
        patient = patient or (None if about is None else str(about["patient_id"]))
        known = None if patient is None else people.get(tx, patient)
        if patient is not None and known is None:
            raise exits.CommandError(f"there is no patient {patient}", exits.DATA)
        phone = phone or (None if known is None else known["phone"])
        made = office_work.add(tx, NewTask(code, phone, patient, visit, note=note))
        events.add(tx, "task.asked", task=made.task_id, who=who)
    click.echo(made.task_id)

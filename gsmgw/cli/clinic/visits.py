# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic visits`, `visit`, `patient` and `requests`: the calendar as it is known here."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from gsmgw import errors
from gsmgw.cli import command, display, exits, session
from gsmgw.cli.clinic import office

if TYPE_CHECKING:
    from gsmgw.clinic.model import Record

VISIT_COLUMNS = (
    *("id", "patient_id", "given", "family", "phone", "start", "minutes", "status", "response"),
    *("practitioner", "service", "location", "withdrawn", "booked_at", "answered_at"),
)
REQUEST_COLUMNS = (
    *("id", "kind", "category", "patient_id", "given", "phone", "about", "about_start", "asks"),
    *("due", "expires", "priority", "status", "reason", "created_at"),
)
_WEEK = dt.timedelta(days=7)
_DAY = click.DateTime(["%Y-%m-%d"])
_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])
_AT_ONCE = 200


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic visits --day 2026-03-05
gsmgw clinic visits --unanswered
gsmgw clinic visits --patient 4711 --from 2026-01-01 --to 2026-12-31 --json
""",
)
@click.option("--day", type=_DAY, metavar="DATE", help="Visits of this day.")
@click.option("--from", "first", type=_DAY, metavar="DATE", help="From this day; default today.")
@click.option(
    "--to", "last", type=_DAY, metavar="DATE", help="Until this day; default a week from the first."
)
@click.option("--patient", metavar="PATIENT", help="Of this patient only.")
@click.option("--phone", "number", metavar="PHONE", help="Of everybody on this phone only.")
@click.option("--unanswered", is_flag=True, help="Only those that nobody has answered.")
@command.json_option
@session.pass_session
def visits(
    current: session.Session,
    day: dt.datetime | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    patient: str | None,
    number: str | None,
    unanswered: bool,
    as_json: bool,
) -> None:
    """List visits, and what patients answered."""
    from gsmgw.store.clinic import shown

    if day is not None and (first is not None or last is not None):
        raise click.UsageError("--day goes without --from and --to")
    begin = (day or first or current.clock.now().astimezone(current.zone)).date()
    end = begin if day is not None else (begin + _WEEK if last is None else last.date())
    phone = None if number is None else office.phone(current, number)
    office.config(current)
    rows = shown.visits(
        current.database,
        *office.day_bounds(current, begin, end),
        patient=patient,
        phone=phone,
        only_unanswered=unanswered,
    )
    if as_json:
        display.print_json([display.plain(row, VISIT_COLUMNS) for row in rows])
        return
    display.print_table(
        ("visit", "start", "status", "answer", "patient", "phone", "name"),
        (
            (
                row["id"],
                office.day_time(row["start"], current),
                row["withdrawn"] or row["status"],
                "" if row["response"] == "needs-action" else row["response"],
                row["patient_id"],
                row["phone"],
                " ".join(filter(None, (row["given"], row["family"]))),
            )
            for row in rows
        ),
        wide="name",
    )


# -- by hand --------------------------------------------------------------------------------------


@click.group(
    cls=command.Group,
    epilog="""\
gsmgw clinic visit add A-1001 "2026-03-05 10:15" --patient 4711 --phone 500100211 --first Anna
gsmgw clinic visit cancel A-1001
""",
)
def visit() -> None:
    """Book and cancel visits by hand, where no program does."""


@visit.command(
    epilog="""\
gsmgw clinic visit add A-1001 "2026-03-05 10:15" --patient 4711 --phone 500100211 --first Anna
gsmgw clinic visit add A-1001 2026-03-06T09:00
""",
)
@click.argument("number", metavar="VISIT")
@click.argument("start", type=_MOMENT, metavar="START")
@click.option("--patient", metavar="PATIENT", help="The clinic's number of the patient.")
@click.option("--phone", metavar="PHONE", help="Of the patient.")
@click.option("--first", metavar="NAME", help="First name.")
@click.option("--last", metavar="NAME", help="Family name.")
@click.option("--minutes", type=click.IntRange(1, 1440), metavar="N", help="How long.")
@click.option("--practitioner", metavar="NAME", help="With whom; never in a text.")
@click.option("--service", metavar="NAME", help="What for; never in a text.")
@click.option("--location", metavar="NAME", help="Where.")
@office.who_option
@session.pass_session
def add(
    current: session.Session,
    number: str,
    start: dt.datetime,
    patient: str | None,
    phone: str | None,
    first: str | None,
    last: str | None,
    minutes: int | None,
    practitioner: str | None,
    service: str | None,
    location: str | None,
    who: str,
) -> None:
    """Book a visit, or move one that is known; texts are planned as for a visit of a file.

    START is on the clinic's clock: "2026-03-05 10:15".
    """
    from gsmgw.clinic.model import PatientRecord, VisitRecord

    record = VisitRecord(
        number,
        PatientRecord(patient, given=first, family=last, phone=phone),
        start=start.replace(tzinfo=current.zone),
        minutes=minutes,
        practitioner=practitioner,
        service=service,
        location=location,
    )
    _take(current, record, who)


@visit.command(
    epilog="""\
gsmgw clinic visit cancel A-1001
gsmgw clinic visit cancel A-1001 --by-patient
""",
)
@click.argument("number", metavar="VISIT")
@click.option("--by-patient", is_flag=True, help="The patient wished it: no text tells of it.")
@office.who_option
@session.pass_session
def cancel(current: session.Session, number: str, by_patient: bool, who: str) -> None:
    """Cancel a visit; the patient is told by SMS."""
    from gsmgw.clinic.model import PatientRecord, VisitRecord, VisitStatus
    from gsmgw.store.clinic import visits as rows

    office.config(current)
    known = rows.get(current.database, number)
    if known is None:
        raise exits.CommandError(f"there is no visit {number}", exits.DATA)
    record = VisitRecord(
        number,
        PatientRecord(known["patient_id"]),
        status=VisitStatus.CANCELLED,
        cancelled_by="patient" if by_patient else "",
    )
    _take(current, record, who)


@click.group(
    cls=command.Group,
    epilog="""\
gsmgw clinic patient add 4711 --phone 500100211 --first Anna --last Lipa
""",
)
def patient() -> None:
    """Enter patients by hand, where no program does."""


@patient.command(
    "add",
    epilog="""\
gsmgw clinic patient add 4711 --phone 500100211 --first Anna --last Lipa --language uk
gsmgw clinic patient add 4711 --no-consent
""",
)
@click.argument("number", metavar="PATIENT")
@click.option("--phone", metavar="PHONE", help="Theirs; '' says that there is none.")
@click.option("--first", metavar="NAME", help="First name.")
@click.option("--last", metavar="NAME", help="Family name.")
@click.option("--language", metavar="CODE", help="pl, es, ru, en, uk, de ...")
@click.option("--birth-date", metavar="DATE", help="Date of birth.")
@click.option("--guardian", is_flag=True, help="The phone is a parent's or guardian's.")
@click.option("--consent/--no-consent", default=None, help="What the clinic knows of texts.")
@click.option("--active/--inactive", default=None, help="Inactive: has left, or died.")
@office.who_option
@session.pass_session
def add_patient(
    current: session.Session,
    number: str,
    phone: str | None,
    first: str | None,
    last: str | None,
    language: str | None,
    birth_date: str | None,
    guardian: bool,
    consent: bool | None,
    active: bool | None,
    who: str,
) -> None:
    """Enter a patient, or change one that is known; what is not said stays."""
    from gsmgw.clinic.model import PatientRecord

    record = PatientRecord(
        number,
        given=first,
        family=last,
        phone=phone,
        phone_of="guardian" if guardian else None,
        language=language,
        birth_date=birth_date,
        consent=consent,
        active=active,
    )
    _take(current, record, who)


def _take(current: session.Session, record: Record, who: str) -> None:
    booking = office.booking(current)
    try:
        with current.database.write() as tx:
            taken = booking.take(tx, record, source=who)
    except errors.RefusedRecordError as error:
        raise exits.CommandError(str(error), exits.DATA) from error
    planned = f"{taken.requests} text{'' if taken.requests == 1 else 's'} planned"
    click.echo(f"{planned}{''.join(f', {warning}' for warning in taken.warnings)}")


# -- what will be said ----------------------------------------------------------------------------


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic requests --due
gsmgw clinic requests --not-said --phone +48500100211
""",
)
@click.option("--due", is_flag=True, help="Only what is due by the end of today.")
@click.option("--not-said", is_flag=True, help="Instead what was not said, and why.")
@click.option("--phone", "number", metavar="PHONE", help="To this phone only.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=_AT_ONCE,
    show_default=True,
    help="At most so many.",
)
@command.json_option
@session.pass_session
def requests(
    current: session.Session,
    due: bool,
    not_said: bool,
    number: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what will be said next, or what was not said and why."""
    from gsmgw.store.clinic import shown

    if due and not_said:
        raise click.UsageError("--due goes without --not-said")
    office.config(current)
    phone = None if number is None else office.phone(current, number)
    today = current.clock.now().astimezone(current.zone).date()
    until = office.day_bounds(current, today, today)[1] if due else "9999"
    if not_said:
        rows = shown.revoked(current.database, phone, limit)
    else:
        rows = shown.waiting(current.database, until, phone, limit)
    if as_json:
        display.print_json([display.plain(row, REQUEST_COLUMNS) for row in rows])
        return
    display.print_table(
        ("due", "phone", "kind", "visit", "first", "why" if not_said else "state"),
        (
            (
                office.short_time(row["due"], current),
                row["phone"],
                row["kind"],
                row["about"],
                row["given"],
                row["reason"] if not_said else row["status"],
            )
            for row in rows
        ),
        wide="first",
    )
    if len(rows) == limit:
        exits.complain(f"gsmgw: there may be more than {limit}; see --limit")

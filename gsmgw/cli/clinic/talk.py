# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic thread`, `say` and `consent`: one phone, both directions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from gsmgw.cli import command, display, exits, session, typed
from gsmgw.cli.clinic import office
from gsmgw.model import Category

if TYPE_CHECKING:
    from gsmgw.clinic.wording import Wording
    from gsmgw.store.database import Transaction

#: What a person says goes out within this, or not at all.
_SAID_WITHIN = dt.timedelta(hours=12)
_CATEGORIES = (Category.CARE, Category.SURVEY, Category.MARKETING)


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic thread +48500100211
gsmgw clinic thread 500100211 --json
""",
)
@click.argument("number", metavar="PHONE")
@command.json_option
@session.pass_session
def thread(current: session.Session, number: str, as_json: bool) -> None:
    """Show a conversation: texts both ways, and calls; newest last."""
    from gsmgw.store.clinic import people, shown

    phone = office.phone(current, number)
    db = current.database
    entries = sorted(
        [
            *(_entry(row, "out", row["state"], row["error"]) for row in shown.said(db, phone)),
            *(_entry(row, "in", _read_as(row), None) for row in shown.heard(db, phone)),
            *(_entry(row, "call", row["outcome"], row["who"]) for row in shown.calls(db, phone)),
        ],
        key=lambda entry: str(entry["at"]),
    )
    if as_json:
        display.print_json(entries)
        return
    for row in people.on_phone(db, phone):
        name = " ".join(filter(None, (row["given"], row["family"])))
        click.echo(display.safe(f"{row['id']}  {name}"))
    signs = {"out": "->", "in": "<-", "call": "--"}
    for entry in entries:
        state = " ".join(str(word) for word in (entry["state"], entry["remark"]) if word)
        sign = signs[entry["direction"]]
        click.echo(f"{office.day_time(entry['at'], current)} {sign} [{display.safe(state)}]")
        for line in display.safe_lines(entry["text"] or ""):
            click.echo(display.hanging("    ", line))


def _entry(row: Any, direction: str, state: str | None, remark: str | None) -> dict[str, Any]:
    is_missed = direction == "in" and row["kind"] == "missed_call"
    text = row["note"] if direction == "call" else row["text"]
    return {
        "at": row["at"],
        "direction": direction,
        "id": row["id"],
        "state": "missed call" if is_missed else state,
        "remark": remark,
        "text": text,
    }


def _read_as(row: Any) -> str | None:
    if row["meaning"] is None:
        return None
    return str(row["meaning"]) if row["applied"] else f"{row['meaning']}, for a person"


# -- say ------------------------------------------------------------------------------------------


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic say +48500100211 "Tak, prosimy przynieść skierowanie."
gsmgw clinic say +48500100211 --template results
""",
)
@click.argument("number", metavar="PHONE")
@click.argument("text", required=False)
@click.option("--template", metavar="NAME", help="A text of the clinic instead; see templates.")
@office.who_option
@command.json_option
@session.pass_session
def say(
    current: session.Session,
    number: str,
    text: str | None,
    template: str | None,
    who: str,
    as_json: bool,
) -> None:
    """Write to a patient as a person does: now, at any hour; prints the id of the request.

    TEXT - is read from standard input. A phone that said STOP is not written to.
    """
    from gsmgw.clinic.model import Kind
    from gsmgw.clock import format_utc
    from gsmgw.model import Priority
    from gsmgw.store import events
    from gsmgw.store.clinic import requests

    if (text is None) == (template is None):
        raise click.UsageError("give TEXT or --template")
    phone = office.phone(current, number)
    words = "" if text is None else typed.read_text(text)
    with current.database.write() as tx:
        _may_be_written_to(current, tx, phone)
        if template is not None:
            words = _fill(current, tx, phone, template)
        if not words.strip():
            raise exits.CommandError("there is no text", exits.DATA)
        now = dt.datetime.fromisoformat(tx.now)
        new = requests.NewRequest(
            kind=Kind.TEXT,
            phone=phone,
            due=tx.now,
            expires=format_utc(now + _SAID_WITHIN),
            same_as=None,
            details={"text": words},
            priority=Priority.URGENT,
        )
        request_id = requests.add(tx, new)
        events.add(tx, "request.added", request=request_id, kind=Kind.TEXT, who=who)
    if as_json:
        display.print_json({"request": request_id, "phone": phone, "text": words})
    else:
        click.echo(request_id)


def _may_be_written_to(current: session.Session, tx: Transaction, phone: str) -> None:
    from gsmgw.clinic.booking import Reach

    hindrance = Reach(office.config(current)).of_phone(tx, phone)
    if hindrance is not None:
        words = {
            "stopped": "has said STOP: ring, or undo it if the patient asks for it:"
            f" gsmgw clinic consent {phone} permit",
            "landline": "is a landline: ring",
        }
        raise exits.CommandError(f"{phone} {words.get(hindrance, hindrance)}", exits.DATA)


def _fill(current: session.Session, tx: Transaction, phone: str, template: str) -> str:
    """Return a template with the patient's name and next visit."""
    from gsmgw.clinic.wording import SHAPES, Wording
    from gsmgw.store.clinic import people, visits

    wording: Wording = Wording(office.config(current))
    if not wording.has(template) or template.startswith(("word_", "staff_", "digest")):
        raise exits.CommandError(
            f"there is no text {template!r} for patients; see gsmgw clinic templates", exits.DATA
        )
    patients = people.on_phone(tx, phone)
    ahead = visits.ahead_on_phone(tx, phone, tx.now)
    values: dict[str, Any] = {}
    if len(patients) == 1:
        values["first"] = patients[0]["given"]
    if ahead:
        values["start"] = dt.datetime.fromisoformat(ahead[0]["start"])
        values["location"] = ahead[0]["location"]
    must = SHAPES[template].must
    if must - {"date", "time"} or (must and not ahead):
        raise exits.CommandError(
            f"the text {template} needs {', '.join(sorted(must))}, which nobody knows here",
            exits.DATA,
        )
    language = patients[0]["language"] if patients else None
    return wording.text(template, language, **values)


# -- consent --------------------------------------------------------------------------------------


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic consent +48500100211
gsmgw clinic consent +48500100211 deny
gsmgw clinic consent +48500100211 permit --category marketing --who Ewa
""",
)
@click.argument("number", metavar="PHONE")
@click.argument("decision", required=False, type=click.Choice(["permit", "deny"]))
@click.option(
    "--category",
    "categories",
    multiple=True,
    type=click.Choice([category.value for category in _CATEGORIES]),
    help="What it is about; default care, and with deny all three. May be given again.",
)
@office.who_option
@command.json_option
@session.pass_session
def consent(
    current: session.Session,
    number: str,
    decision: str | None,
    categories: tuple[str, ...],
    who: str,
    as_json: bool,
) -> None:
    """Show whether a phone may be written to, or note what the patient decided.

    DECISION deny takes back what waits, permit plans anew what the visits ahead call for.
    """
    from gsmgw.store import consent as rows

    phone = office.phone(current, number)
    if decision is not None:
        chosen = [Category(one) for one in categories]
        if not chosen:
            chosen = list(_CATEGORIES) if decision == "deny" else [Category.CARE]
        _decide(current, phone, decision, chosen, who)
    found = {one.value: rows.decision(current.database, phone, one) for one in _CATEGORIES}
    if as_json:
        display.print_json({"phone": phone, **found})
        return
    for category, decided in found.items():
        click.echo(f"{category:<10} {decided or 'nothing decided'}")


def _decide(
    current: session.Session, phone: str, decision: str, categories: list[Category], who: str
) -> None:
    from gsmgw import phone as phones
    from gsmgw.clinic.model import TaskCode
    from gsmgw.store import consent as rows
    from gsmgw.store import events, outbox
    from gsmgw.store.clinic import requests, said, tasks, visits

    booking, work = office.booking(current), office.work(current)
    with current.database.write() as tx:
        for category in categories:
            rows.decide(tx, phone, category, decision, who)
        if decision == "deny":
            if Category.CARE in categories:
                requests.revoke_phone(tx, phone, "stopped")
            for message_id in said.unsent(tx, phone, categories):
                outbox.ask_cancel(tx, message_id)
        else:
            for visit in visits.ahead_on_phone(tx, phone, tx.now):
                booking.replan(tx, visit["id"])
            for task in tasks.open_for(tx, phone):
                if task["code"] == TaskCode.STOPPED and Category.CARE in categories:
                    work.close(tx, task["id"], who=who, outcome="permit")  # no need to ring now
        events.add(
            tx,
            "consent.denied" if decision == "deny" else "consent.permitted",
            who=who,
            phone=phones.mask(phone),
            categories=" ".join(categories),
        )

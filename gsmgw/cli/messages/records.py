# SPDX-License-Identifier: Apache-2.0
"""`gsmgw list`, `show`, `cancel`, `retry` and `inbox`: messages as people and programs see them."""

from __future__ import annotations

from collections.abc import Callable

import click

from gsmgw import clock, errors
from gsmgw.cli import command, display, exits, session, typed
from gsmgw.cli.messages import story
from gsmgw.model import InboxKind, MessageState
from gsmgw.store import inbox as inbox_rows
from gsmgw.store import outbox
from gsmgw.store.database import Transaction

INBOX_COLUMNS = (
    "id",
    "sender",
    "text",
    "kind",
    "modem",
    "sim_id",
    "service_centre_at",
    "received_at",
    "parts",
    "complete",
    "in_reply_to",
)

#: SQLite's largest integer.
_LARGEST = 2**63 - 1
ID = click.IntRange(1, _LARGEST)

limit_option = click.option(
    "--limit",
    type=click.IntRange(1, _LARGEST),
    metavar="N",
    default=50,
    show_default=True,
    help="At most so many.",
)

ids_argument = click.argument("ids", metavar="ID...", nargs=-1, required=True, type=ID)


@click.command(
    "list",
    cls=command.Command,
    epilog="""\
gsmgw list --state uncertain
gsmgw list --to +48500100201 --limit 10
""",
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in MessageState]),
    help=("Only messages in this state; may be given several times."),
)
@click.option("--to", "recipient", metavar="NUMBER", help="Only messages to this number.")
@limit_option
@command.json_option
@session.pass_session
def list_messages(
    current: session.Session,
    states: tuple[str, ...],
    recipient: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List messages to be sent and sent, newest first."""
    rows = outbox.listing(
        current.database, states=states, recipient=_number(current, recipient), limit=limit
    )
    if as_json:
        display.print_json(
            [display.plain(row, story.MESSAGE_COLUMNS, story.MESSAGE_SWITCHES) for row in rows]
        )
        return
    now = current.clock.now()
    display.print_table(
        ("id", "state", "created", "to", "parts", "error, or text"),
        (
            (
                row["id"],
                row["state"],
                display.short_time(row["created_at"], current.zone, now),
                row["recipient"],
                row["parts"],
                display.localised(row["error"], current.zone)
                if row["error"]
                else display.safe_cell(row["text"]),
            )
            for row in rows
        ),
        wide="error, or text",
    )


def _number(current: session.Session, text: str | None) -> str | None:
    if text is None:
        return None
    from gsmgw import phone

    return phone.parse_recipient(text, country=current.config.country)


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw show 17
""",
)
@click.argument("message_id", metavar="ID", type=ID)
@command.json_option
@session.pass_session
def show(current: session.Session, message_id: int, as_json: bool) -> None:
    """Show the whole story of message ID, and what to do.

    Parts, attempts, codes in words, status reports, files, and times in the clinic's zone.
    """
    from gsmgw.cli.messages import advice
    from gsmgw.gateway import words

    told = story.collect(current.database, message_id)
    if told is None:
        raise exits.CommandError(f"there is no message {message_id}", exits.DATA)
    if as_json:
        display.print_json(story.document(told, words.explain))
        return
    message = told.message
    click.echo(f"Message {message_id}: {message['state']}")
    for name, value in _facts(message, current):
        first, *others = display.safe_lines(value)
        click.echo(display.hanging(f"  {name:<12}", first))
        for line in others:
            click.echo(display.hanging(f"  {'':<12}", line))
    click.echo()
    for moment in story.moments(told, words.explain, current.zone):
        at = display.local_time(moment.at, current.zone)
        click.echo(display.hanging(f"  {at}  ", moment.words))
    hints = advice.advice(told, advice.look_around(current))
    if hints:
        click.echo()
    for hint in hints:
        click.echo(display.hanging("", hint))


def _facts(message: display.Row, current: session.Session) -> list[tuple[str, str]]:
    def local(name: str) -> str:
        return display.local_time(message[name], current.zone)

    due_at = message["due_at"]
    is_due = bool(due_at) and due_at <= clock.format_utc(current.clock.now())
    switches = {
        "report_requested": "the source is told of delivery",
        "flash": "shown at once (flash)",
        "cancel_requested": "to be cancelled",
    }
    facts = {
        "to": message["recipient"],
        "text": message["text"],
        "source": message["source"],
        "reference": message["reference"],
        "category": f"{message['category']}, {message['priority']}",
        "parts": message["parts"] and f"{message['parts']} ({message['alphabet']})",
        "modem": message["modem"],
        "not before": local("not_before"),
        "expires": local("expires_at"),
        "next try": "when a modem is free" if is_due else local("due_at"),
        "asked": ", ".join(words for name, words in switches.items() if message[name]),
    }
    return [(name, str(value)) for name, value in facts.items() if value not in (None, "")]


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw cancel 17 18
""",
)
@ids_argument
@session.pass_session
def cancel(current: session.Session, ids: tuple[int, ...]) -> int:
    """Withdraw messages that are not sent yet."""
    from gsmgw.gateway import decisions

    return _decide(current, ids, decisions.cancel)


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw retry 17
""",
)
@ids_argument
@session.pass_session
def retry(current: session.Session, ids: tuple[int, ...]) -> int:
    """Send messages again that were not sent, or are uncertain.

    An uncertain message may have arrived: ask the recipient first.
    """
    from gsmgw.gateway import decisions

    return _decide(current, ids, decisions.retry)


def _decide(
    current: session.Session, ids: tuple[int, ...], decision: Callable[[Transaction, int], str]
) -> int:
    """Carry out a person's decision, message by message; one that fails leaves the others alone."""
    code = exits.OK
    for message_id in ids:
        try:
            with current.database.write() as tx:
                done = decision(tx, message_id)
        except errors.StoreError:
            raise
        except errors.GsmgwError as error:
            exits.complain(f"gsmgw: {error}")
            code = exits.DATA
        else:
            click.echo(display.safe(done))
    return code


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw inbox --from +48500100201
gsmgw inbox --after 120 --json
""",
)
@click.option(
    "--after",
    type=click.IntRange(0, _LARGEST),
    metavar="ID",
    help=("Only what came after this one, oldest first."),
)
@click.option("--from", "sender", metavar="NUMBER", help="Only from this sender.")
@limit_option
@command.json_option
@session.pass_session
def inbox(
    current: session.Session, after: int | None, sender: str | None, limit: int, as_json: bool
) -> None:
    """List what arrived, newest last: messages and missed calls.

    A program remembers the highest id it has seen and asks for what came after it.
    """
    if sender is not None:
        from gsmgw import phone

        typed.check_utf8(sender, "the sender")
        sender = phone.normalise_sender(sender, current.config.country)
    rows = inbox_rows.listing(
        current.database,
        # Ids begin at 1: -1 asks for all of them oldest first, 0 would ask for the newest.
        after=0 if after is None else after or -1,
        sender=sender,
        limit=limit,
    )
    if as_json:
        display.print_json(
            [display.plain(row, INBOX_COLUMNS, frozenset({"complete"})) for row in rows]
        )
        return
    now = current.clock.now()
    display.print_table(
        ("id", "received", "from", "modem", "answers", "text"),
        (
            (
                row["id"],
                display.short_time(row["received_at"], current.zone, now),
                row["sender"] or "withheld",
                row["modem"],
                row["in_reply_to"],
                _inbox_words(row),
            )
            for row in rows
        ),
        wide="text",
    )


def _inbox_words(row: display.Row) -> str:
    if row["kind"] == InboxKind.MISSED_CALL:
        return "(missed call)"
    words = display.safe_cell(row["text"])
    if row["kind"] == InboxKind.BINARY:
        words = f"(binary) {words}"
    return words if row["complete"] else f"{words} (parts are missing)"

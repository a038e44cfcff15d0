# SPDX-License-Identifier: Apache-2.0
"""`gsmgw alarm list` and `test`: what was told to whom, and whether a test reaches them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import click

from gsmgw.cli import command, display, exits, overview, session
from gsmgw.model import MessageState
from gsmgw.store.watching import alarms

#: How long a test takes at most, by itself: a phone may take a while to say that it has the SMS.
WAIT_S = 90.0
#: How often to look what has come of it.
_LOOK_S = 0.2

_ARRIVED = (MessageState.SENT, MessageState.DELIVERED)
_OPEN = (MessageState.QUEUED, MessageState.SENDING, MessageState.SENT)
_WORDS = {
    MessageState.QUEUED: "waits for modem {modem}",
    MessageState.SENDING: "modem {modem} sends it",
    MessageState.SENT: "the network has it; waiting for the phone to confirm",
    MessageState.DELIVERED: "delivered: the phone has it",
    MessageState.UNDELIVERED: "the phone did not get it",
}


@click.group("alarm", cls=command.Group)
def alarm() -> None:
    """See of what people were told, and try whether they are."""


@alarm.command(
    "list",
    epilog="""\
gsmgw alarm list
gsmgw alarm list --limit 100 --json
""",
)
@click.option(
    "--limit",
    type=click.IntRange(1, alarms.KEPT),
    default=20,
    show_default=True,
    help="At most so many.",
)
@command.json_option
@session.pass_session
def list_alarms(current: session.Session, limit: int, as_json: bool) -> None:
    """List alarms, open and over, newest last, and who was told of them."""
    found = [
        (row, alarms.told_of(current.database, row["id"]))
        for row in alarms.listing(current.database, limit)
    ]
    if as_json:
        documents = [
            {**_alarm(row), "told": [{"kind": one["kind"], **_document(one)} for one in told]}
            for row, told in found
        ]
        display.print_json({"alarms": documents})
        return
    zone, now = current.zone, current.clock.now()
    display.print_table(
        ("since", "until", "alarm", "where", "level", "told"),
        (
            (
                display.short_time(row["first_seen_at"], zone, now, seconds=False),
                display.short_time(row["last_seen_at"], zone, now, seconds=False)
                if row["closed_at"]
                else "open",
                row["finding"],
                row["place"],
                row["level"],
                _receivers(told),
            )
            for row, told in found
        ),
        wide="told",
        fold=True,
    )


def _alarm(row: display.Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "name": row["finding"],
        "where": row["place"],
        "level": row["level"],
        "what": row["what"],
        "since": row["first_seen_at"],
        "opened_at": row["opened_at"],
        "last_seen_at": row["last_seen_at"],
        "closed_at": row["closed_at"],
    }


def _receivers(told: Sequence[display.Row]) -> str:
    """Return who heard of an alarm, and who did not, each once."""
    heard = {
        row["via"]: any(_has_heard(one) for one in told if one["via"] == row["via"]) for row in told
    }
    return ", ".join(via if is_told else f"not {via}" for via, is_told in heard.items())


@alarm.command(
    epilog="""\
gsmgw alarm test
gsmgw alarm test --wait 10 --json
""",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0.1, max=3600),
    default=WAIT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the program, and for phones to confirm.",
)
@command.json_option
@session.pass_session
def test(current: session.Session, wait_s: float, as_json: bool) -> int:
    """Have the daemon tell a test to everybody who is told of alarms.

    The program of alarms.hook is run with TEST as its first word, and each number of alarms.sms.to
    gets an SMS, in the way that an alarm would go. Exits with 69 if somebody was not told.
    """
    configured = current.config.alarms
    receivers = alarms.receivers(configured.hook, configured.sms.to)
    if not receivers:
        raise exits.CommandError(
            "nobody is told of alarms: neither alarms.hook nor alarms.sms.to is in"
            f" {current.config_path}",
            exits.CONFIG,
        )
    if overview.daemon_pid(current) is None:
        raise exits.CommandError(
            "the daemon does not run, and it is what tells alarms: systemctl start gsmgw"
        )
    told: set[str] = set()
    with current.database.write() as tx:
        alarm_id = alarms.owe_test(tx, receivers)
    try:
        _follow(current, alarm_id, wait_s, lambda row: None if as_json else _tell(row, told))
    finally:
        rows = _withdraw(current, alarm_id, wait_s)
    if as_json:
        display.print_json({"receivers": [_document(row) for row in rows]})
    else:
        for row in rows:
            _tell(row, told)
            _tell_end(row)
    return exits.OK if all(map(_has_heard, rows)) else exits.UNAVAILABLE


def _follow(
    current: session.Session, alarm_id: int, wait_s: float, tell: Callable[[display.Row], None]
) -> None:
    """Tell what becomes of the notices, until nothing more does or the time is over."""
    end = current.clock.monotonic() + wait_s
    pause = threading.Event()
    while True:
        rows = alarms.told_of(current.database, alarm_id)
        for row in rows:
            tell(row)
        if not any(map(_is_open, rows)) or current.clock.monotonic() >= end:
            return
        pause.wait(_LOOK_S)


def _withdraw(current: session.Session, alarm_id: int, wait_s: float) -> Sequence[display.Row]:
    """Take back what nobody has come to, so that no test comes at night; return how all ended."""
    with current.database.write() as tx:
        for row in alarms.told_of(tx, alarm_id):
            if row["finished_at"] is None:
                words = (
                    f"the daemon has not told it within {wait_s:g} s; if the configuration is new:"
                    " systemctl reload gsmgw"
                )
                alarms.finish(tx, row["id"], error=words)
        return alarms.told_of(tx, alarm_id)


def _is_open(row: display.Row) -> bool:
    return row["finished_at"] is None or row["message_state"] in _OPEN


def _has_heard(row: display.Row) -> bool:
    if row["via"] == alarms.HOOK:
        return row["finished_at"] is not None and row["error"] is None
    return row["error"] is None and row["message_state"] in _ARRIVED


def _tell(row: display.Row, told: set[str]) -> None:
    """Print what has come of a notice, unless it was printed before."""
    words = "" if row["finished_at"] is None else f"{row['via']}: {_words(row)}"
    if words and words not in told:
        click.echo(display.safe(words))
        told.add(words)


def _words(row: display.Row) -> str:
    if row["error"]:
        return f"not told: {row['error']}"
    if row["via"] == alarms.HOOK:
        return "the program ran"
    state = row["message_state"]
    words = _WORDS.get(state, str(state)).format(modem=row["modem"])
    why = f" ({row['message_error']})" if row["message_error"] else ""
    return f"SMS {row['message_id']}: {words}{why}"


def _tell_end(row: display.Row) -> None:
    """Print where to look further."""
    state = row["message_state"]
    if state == MessageState.SENT:
        click.echo(f"{row['via']}: no report yet: the phone is off, or the operator gives none")
    elif state not in (None, MessageState.DELIVERED):
        click.echo(f"{row['via']}: more: gsmgw show {row['message_id']}")


def _document(row: display.Row) -> dict[str, object]:
    return {
        "via": row["via"],
        "told": _has_heard(row),
        "message_id": row["message_id"],
        "modem": row["modem"],
        "state": row["message_state"],
        "exit_code": row["exit_code"],
        "error": row["error"] or row["message_error"],
    }

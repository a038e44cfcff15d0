# SPDX-License-Identifier: Apache-2.0
"""What programs get from `--json`: the same keys and types every time, and times in UTC.

A key that is missing here is new: write it down, and into docs/commands.md. One that is missing in
the output was taken away from somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from cli_support import Place

from gsmgw.model import (
    InboxKind,
    ModemReport,
    ModemState,
    PartState,
    SimIdentity,
)
from gsmgw.store import events, modems

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")

MESSAGE = {
    **dict.fromkeys(("id",), "int"),
    **dict.fromkeys(("recipient", "text", "source", "category", "priority", "state"), "str"),
    **dict.fromkeys(("reference", "modem", "error_family", "error_code", "error"), "str?"),
    **dict.fromkeys(("not_before", "expires_at", "sent_at", "settled_at"), "time?"),
    **dict.fromkeys(("report_requested", "flash", "cancel_requested"), "bool"),
    "parts": "int?",
    "created_at": "time",
    "spool_file": "str?",
}
ATTEMPT = {
    "modem": "str",
    "sim_id": "int?",
    "claimed_at": "time",
    "ended_at": "time?",
    **dict.fromkeys(
        (
            "outcome",
            "error_family",
            "error_code",
            "error",
            "whose",
            "proof",
            "explanation",
        ),
        "str?",
    ),
    "mr": "int?",
    "counted": "bool",
}
REPORT = {
    **dict.fromkeys(("modem", "recipient", "explanation"), "str"),
    "received_at": "time",
    **dict.fromkeys(("mr", "st"), "int"),
    "service_centre": "str?",
    **dict.fromkeys(("service_centre_at", "discharged_at"), "time?"),
}
PART = {
    "number": "int",
    "state": "str",
    **dict.fromkeys(
        ("text", "modem", "error_family", "error_code", "error", "proof", "explanation"), "str?"
    ),
    **dict.fromkeys(("sim_id", "mr"), "int?"),
    **dict.fromkeys(("claimed_at", "sent_at", "settled_at"), "time?"),
    "attempt": [ATTEMPT],
    "status_report": [REPORT],
}
MODEM = {
    **dict.fromkeys(("name",), "str"),
    **dict.fromkeys(
        (
            "state",
            "why",
            "port",
            "imei",
            "manufacturer",
            "model",
            "firmware",
            "profile",
            "operator",
            "service_centre",
            "iccid",
            "imsi",
            "sim_state",
            "sim_why",
        ),
        "str?",
    ),
    **dict.fromkeys(("registration", "signal_dbm", "sim_id", "sent_today"), "int?"),
    **dict.fromkeys(("since", "resting_until", "updated_at"), "time?"),
    "storages": "any",
    "limits": [{"per": "str", "limit": "int", "used": "int"}],
    "balance": "any",
    "self_test": "any",
}
TROUBLE = dict.fromkeys(("level", "name", "where", "what", "do"), "str")
OWED = {"count": "int", "oldest_at": "time?"}
HEALTH = {
    "at": "time",
    "version": "str",
    "database": "str",
    "schema": "int",
    "daemon": {"running": "bool", "pid": "int?"},
    "clock": {"suspect": "bool", "why": "str?"},
    "uncertain": {"count": "int", "ids": ["int"], "given_up": "int"},
    "modems": [MODEM],
    "queue": [
        {
            "category": "str",
            **dict.fromkeys(("now", "later", "parts_now"), "int"),
            **dict.fromkeys(("oldest_due_at", "next_due_at"), "time?"),
        }
    ],
    "new": "int",
    "new_since": "time?",
    "parts_per_hour": "int?",
    "today": {"messages": "counts", "received": "int", "missed_calls": "int"},
    "spool": {"outgoing": "any", "owed_files": OWED, "owed_hooks": OWED, "failed_hooks": "int"},
    "disks": [
        {
            **dict.fromkeys(("what", "path"), "str"),
            **dict.fromkeys(("free_octets", "total_octets"), "int"),
            "free_files": "int?",
        }
    ],
    "wal_octets": "int",
    "day_events": "counts",
    "events": [
        {"at": "time", "name": "str", "message_id": "int?", "modem": "str?", "detail": "any"}
    ],
    "next": [
        {"at": "time", "name": "str", "what": "str", "modem": "str?", "message_id": "int?"},
    ],
    "alarms": {"open": "any", "untold_since": "time?", "unheard": "any"},
    "troubles": [TROUBLE],
}
INBOX = {
    "id": "int",
    **dict.fromkeys(("modem", "kind", "sender"), "str"),
    "text": "str?",
    **dict.fromkeys(("sim_id", "in_reply_to"), "int?"),
    "service_centre_at": "time?",
    "received_at": "time",
    "parts": "int",
    "complete": "bool",
}
SENT = {
    **dict.fromkeys(("id",), "int?"),
    **dict.fromkeys(("reference", "recipient", "error_code", "error"), "str?"),
    "state": "str",
    "repeat": "bool",
    "parts": "int",
}
FILE = dict.fromkeys(("name", "original_name"), "str") | {
    **dict.fromkeys(("folder", "final_name"), "str?"),
    "taken_at": "time",
    "finished_at": "time?",
}
SHAPES: dict[str, object] = {
    "list": [MESSAGE],
    "show 1": {
        **MESSAGE,
        "explanation": "str?",
        "part": [PART],
        "spool": [FILE],
        "event": [{"at": "time", "name": "str", "modem": "str?", "detail": "any"}],
    },
    "inbox": [INBOX],
    "send 500100201 Again": SENT,
    "send nobody Again": SENT,
    "send --csv list.csv": {
        "file": "str",
        **dict.fromkeys(("accepted", "repeated", "rejected", "parts"), "int"),
        "messages": [{"line": "int", **SENT}],
    },
    "status": HEALTH,
    "modem list": {"modems": [MODEM]},
    "doctor --no-modems": {
        "at": "time",
        "configuration": "str",
        "user": "str?",
        "findings": [TROUBLE],
        "health": HEALTH,
    },
    "alarm list": {"alarms": "any"},
    "clock": {
        "at": "time",
        "newest_at": "time?",
        "trusted_at": "time?",
        "suspect": "bool",
        "why": "str?",
    },
    "check": {"file": "str", "problems": ["str"], "warnings": ["str"]},
    "count Zażółć": {
        "alphabet": "str",
        "parts": "int",
        "units": "int",
        "because": "any",
    },
    "backup copy.db": {
        "file": "str",
        "newest_at": "time?",
        "messages": "counts",
        "received": "int",
        "octets": "int",
    },
}
KINDS: dict[str, type] = {"int": int, "str": str, "bool": bool}


def faults(found: object, shape: object, where: str) -> Iterator[str]:
    """Yield where a document differs from its shape."""
    if isinstance(shape, dict):
        if not isinstance(found, dict):
            yield f"{where}: no object"
            return
        yield from (f"{where}: {name} is missing" for name in shape.keys() - found.keys())
        yield from (f"{where}: {name} is new" for name in found.keys() - shape.keys())
        for name in shape.keys() & found.keys():
            yield from faults(found[name], shape[name], f"{where}.{name}")
    elif isinstance(shape, list):
        for number, one in enumerate(found if isinstance(found, list) else [None]):
            yield from faults(one, shape[0], f"{where}[{number}]")
    elif not is_of(found, str(shape)):
        yield f"{where}: {found!r} is no {shape}"


def is_of(found: object, shape: str) -> bool:
    """Tell whether a value is of a simple kind."""
    if shape == "any" or (shape.endswith("?") and found is None):
        return True
    kind = shape.removesuffix("?")
    if kind == "time":
        return isinstance(found, str) and TIME.match(found) is not None
    if kind == "counts":
        return isinstance(found, dict) and all(type(one) is int for one in found.values())
    return type(found) is KINDS[kind]


@pytest.fixture
def busy(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Fill the place with one of everything."""
    monkeypatch.chdir(place.path)
    report = ModemReport(
        "front",
        ModemState.READY,
        port="/dev/pretend-front",
        signal_dbm=-70,
        sim=SimIdentity("89480100000000000017", "260010000000001"),
        storages={"SM": (1, 20)},
    )
    place.report(place.take(place.message("one", reference="r1")), 0)
    place.refuse(place.message("two", expires_at="2050-01-01"))
    place.take(place.message("x" * 200), state=PartState.UNCERTAIN, mr=None, proof=None)
    place.message("later", not_before="2050-01-01")
    place.arrive("Yes")
    place.arrive(None, kind=InboxKind.MISSED_CALL, sender="")
    (place.path / "list.csv").write_text("recipient,text\n500100202,Hi\nnobody,Hi\n500100203\n")
    with place.database.write() as tx:
        tx.run("INSERT INTO outbox (recipient, text) VALUES ('500100201', 'a row')")
        sim_id = modems.ensure_sim(tx, "iccid:1", "89480100000000000017", "260010000000001")
        modems.write_state(tx, report, sim_id)
        events.add(tx, "message.failed", message_id=2, code="1")
    return place


@pytest.mark.parametrize("command", SHAPES)
def test_a_document_has_its_shape(busy: Place, command: str) -> None:
    found = busy.json(*command.split())
    assert list(faults(found, SHAPES[command], command)) == []


def test_the_same_from_a_place_where_nothing_ever_happened(place: Place) -> None:
    for command in ("list", "inbox", "status", "modem list", "clock"):
        found = place.json(*command.split())
        assert list(faults(found, SHAPES[command], command)) == []


@pytest.mark.parametrize(
    ("found", "shape", "words"),
    [
        ({"a": 1}, {"b": "int"}, ["x: a is new", "x: b is missing"]),
        ({"a": "2026-01-01 00:00"}, {"a": "time?"}, ["x.a: '2026-01-01 00:00' is no time?"]),
        ([True], ["int"], ["x[0]: True is no int"]),
        (None, ["int"], ["x[0]: None is no int"]),
        ({"a": None}, {"a": "int?"}, []),
    ],
)
def test_differences_are_found(found: object, shape: object, words: list[str]) -> None:
    assert sorted(faults(found, shape, "x")) == words

# SPDX-License-Identifier: Apache-2.0
"""What is played in the demo, and what each act promises."""

from __future__ import annotations

from gsmgw.cli.demo.narrator import Narrator
from gsmgw.cli.demo.stage import Stage
from gsmgw.model import MessageState
from gsmgw.store import outbox

#: How long an act may take before its promise counts as broken, in seconds.
ACT_S = 30.0
READY_S = 60.0

_REMINDER = """\
To: 48500100201
Report: yes
X-Clinic: 4711

Your appointment: Monday, 8:30. Answer TAK to confirm.
"""
_LONG_TEXT = (
    "Dzień dobry 👋 Jutro o 8:30 zapraszamy na badanie krwi 💉. Prosimy przyjść na czczo: od 20:00"
    " nic nie jeść, pić tylko wodę 💧. Proszę zabrać dowód osobisty 🪪 i skierowanie 📄."
)
_WRONG_NUMBER = """\
To: 48500100204

This number is no longer in use.
"""


def play(stage: Stage, tell: Narrator) -> None:
    """Play everything; what does not happen stands in `tell.broken` afterwards.

    Raises:
        GsmgwError: other software, or a command, could not do its part.
    """
    tell.title("The daemon starts on two pretend modems")
    if not tell.expect("both modems are ready", stage.is_ready, READY_S):
        return
    tell.say("daemon", f"runs as process {stage.pid}; modems front and back are ready")
    _file(stage, tell)
    _row(stage, tell)
    _command(stage, tell)
    _wrong_number(stage, tell)
    _missed_call(stage, tell)
    twice = stage.simulator.books.duplicates()
    tell.expect("nothing was sent twice", lambda: not twice, 0)


def _file(stage: Stage, tell: Narrator) -> None:
    tell.title("1. Other software drops a file; the patient answers")
    stage.drop("reminder", _REMINDER)
    tell.say("software", "outgoing/reminder")
    tell.quote(_REMINDER)
    phone = "+48500100201"
    tell.expect("the phone has it", lambda: bool(stage.simulator.books.inbox(phone)), ACT_S)
    tell.expect("the file is in sent/", lambda: (stage.spool / "sent" / "reminder").exists(), ACT_S)
    tell.expect("the delivery is reported", lambda: bool(stage.files("report")), ACT_S)
    tell.expect("the answer is a file", lambda: _some(stage, "incoming", "TAK"), ACT_S)


def _row(stage: Stage, tell: Narrator) -> None:
    tell.title("2. Other software inserts a row; with its emoji it takes three parts")
    recipient = "+48500100202"
    tell.say("software", "INSERT INTO outbox (recipient, text, source)")
    stage.insert(recipient, _LONG_TEXT)
    tell.expect(
        "the phone has the whole text from three parts",
        lambda: any(
            found.text == _LONG_TEXT and found.parts == 3
            for found in stage.simulator.books.inbox(recipient)
        ),
        ACT_S,
    )
    tell.expect(
        "the row is delivered", lambda: _is(stage, recipient, MessageState.DELIVERED), ACT_S
    )
    tell.say("database", f"outbox.state of {recipient} is {_state(stage, recipient)}")


def _command(stage: Stage, tell: Narrator) -> None:
    tell.title("3. Somebody types a command")
    recipient, text = "+48500100203", "The laboratory closes at 15:00 today."
    tell.say("person", f'gsmgw send --category staff {recipient} "{text}"')
    tell.quote(stage.type("send", "--category", "staff", recipient, text))
    tell.expect("it is delivered", lambda: _is(stage, recipient, MessageState.DELIVERED), ACT_S)


def _wrong_number(stage: Stage, tell: Narrator) -> None:
    tell.title("4. A number that nobody has")
    stage.drop("wrong-number", _WRONG_NUMBER)
    tell.say("software", "outgoing/wrong-number")
    failed = stage.spool / "failed" / "wrong-number"
    if tell.expect("the file is in failed/ with the reason", failed.exists, ACT_S):
        kept = "Fail_reason:" in failed.read_text("utf-8", "replace")
        tell.expect("the reason stands in it", lambda: kept, 0)
    number = _message_id(stage, "+48500100204")
    if number is not None:
        tell.say("person", f"gsmgw show {number}")
        tell.quote(stage.type("show", str(number)))


def _missed_call(stage: Stage, tell: Narrator) -> None:
    tell.title("5. A patient calls; the modem hangs up and notes the missed call")
    stage.simulator.call("+48500100205", "back", 2)
    tell.expect("the missed call is a file", lambda: _some(stage, "incoming", "missed"), ACT_S)


def _some(stage: Stage, folder: str, words: str) -> bool:
    return any(words in content for content in stage.files(folder))


def _message_id(stage: Stage, recipient: str) -> int | None:
    rows = outbox.listing(stage.database, recipient=recipient, limit=1)
    return int(rows[0]["id"]) if rows else None


def _state(stage: Stage, recipient: str) -> str:
    rows = outbox.listing(stage.database, recipient=recipient, limit=1)
    return str(rows[0]["state"]) if rows else "not there yet"


def _is(stage: Stage, recipient: str, state: MessageState) -> bool:
    return _state(stage, recipient) == state

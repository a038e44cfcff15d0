# SPDX-License-Identifier: Apache-2.0
"""A clinic's days in seconds: a table of visits, reminders, answers, and what people get."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path
from zoneinfo import ZoneInfo

from gsmgw.cli.demo import stage as stages
from gsmgw.cli.demo.narrator import Narrator
from gsmgw.cli.demo.stage import Stage
from gsmgw.clock import Clock

#: How long an act may take before its promise counts as broken, in seconds.
ACT_S = 60.0

PLAY = "clinic"
TABLE = "wizyty-2026-03-05.csv"
BEGINS = "2026-03-02 08:20"
_ZONE = ZoneInfo("Europe/Warsaw")
_FAMILY, _PIOTR, _EWA, _CALLER = (
    "+48500100211",
    "+48500100212",
    "+48500100213",
    "+48500100219",
)
_DESK = "+48500100201"


class Days:
    """The days of the play: one time for daemon, commands and network."""

    def __init__(self, clock: Clock, moved: Path) -> None:
        """Begin on the first day.

        Args:
            clock: the machine's own.
            moved: the file that says how far the play is from it.
        """
        self._clock = clock
        self._moved = moved
        self.at(BEGINS)

    def at(self, moment: str) -> None:
        """Move the time to `2026-03-03 10:00`, on the clinic's clock."""
        wanted = dt.datetime.fromisoformat(moment).replace(tzinfo=_ZONE)
        ahead = (wanted - self._clock.now()).total_seconds()
        aside = self._moved.with_suffix(".new")
        aside.write_text(f"{ahead:.3f}\n", encoding="ascii")
        aside.rename(self._moved)


def play(stage: Stage, tell: Narrator, days: Days) -> None:
    """Play the clinic's days; what does not happen stands in `tell.broken` afterwards."""
    tell.title("6. A clinic's days: Monday 08:20, its program drops the table of Thursday's visits")
    if not tell.expect("the modem is ready", stage.is_ready, ACT_S):
        return
    _table(stage, tell)
    _reminders(stage, tell, days)
    _answers(stage, tell, days)
    _evening(stage, tell, days)
    _second_question(stage, tell, days)
    _lists(stage, tell, days)


def _table(stage: Stage, tell: Narrator) -> None:
    table = stages.read(f"{PLAY}/{TABLE}")
    stage.drop(TABLE, table, "clinic/in")
    tell.say("program", f"clinic/in/{TABLE}")
    tell.quote(table)
    ack = stage.spool / "clinic" / "out" / "ack" / f"{TABLE}.json"
    if tell.expect("the file is acknowledged", ack.exists, ACT_S):
        tell.say("spool", f"clinic/out/ack/{ack.name}")
        tell.quote(ack.read_text("utf-8"))


def _reminders(stage: Stage, tell: Narrator, days: Days) -> None:
    tell.title("7. Tuesday 10:00: two days before; one text to the family that shares a phone")
    days.at("2026-03-03 10:00")
    for phone in (_FAMILY, _PIOTR, _EWA):
        tell.expect(f"{phone} is asked", functools.partial(_got, stage, phone, 1), ACT_S)


def _answers(stage: Stage, tell: Narrator, days: Days) -> None:
    tell.title("8. The patients answer: yes, no, and something that nobody can judge but a person")
    for moment, phone, text, texts in (
        ("2026-03-03 10:07", _FAMILY, "Tak, potwierdzam 👍", 2),
        ("2026-03-03 10:16", _PIOTR, "niestety nie przyjdę", 2),
        ("2026-03-03 10:30", _EWA, "Kto to?", 2),
    ):
        days.at(moment)
        stage.simulator.receive(phone, "front", text)
        tell.expect(
            f"{phone} is answered",
            functools.partial(_got, stage, phone, texts),
            ACT_S,
        )
    days.at("2026-03-03 10:40")
    stage.simulator.receive(_EWA, "front", "aha, no to zobaczymy")
    tell.expect("a person gets a task", lambda: "review" in _list(stage, "tasks.csv"), ACT_S)


def _evening(stage: Stage, tell: Narrator, days: Days) -> None:
    tell.title("9. Tuesday 19:30: somebody rings after hours; it costs the caller nothing")
    days.at("2026-03-03 19:30")
    stage.simulator.call(_CALLER, "front", 2)
    tell.expect("the caller gets a text", lambda: _got(stage, _CALLER, 1), ACT_S)
    tell.expect("reception is told", lambda: _got(stage, _DESK, 1), ACT_S)


def _second_question(stage: Stage, tell: Narrator, days: Days) -> None:
    tell.title("10. Wednesday 10:00: one day before; only who has not answered is asked again")
    days.at("2026-03-04 10:00")
    tell.expect("Ewa is asked again", lambda: _got(stage, _EWA, 3), ACT_S)


def _lists(stage: Stage, tell: Narrator, days: Days) -> None:
    tell.title("11. Wednesday 11:30: what reception opens")
    days.at("2026-03-04 11:30")
    tell.expect(
        "who did not answer is to be rung up",
        lambda: "unconfirmed" in _list(stage, "calls.csv"),
        ACT_S,
    )
    for name in ("replies.csv", "tasks.csv", "calls.csv"):
        tell.say("spool", f"clinic/out/{name}")
        tell.quote(_list(stage, name))


def _got(stage: Stage, phone: str, count: int) -> bool:
    """Tell whether a phone has so many texts, and the daemon knows it.

    A phone has a text before the modem says so; written down only when the play is on its next day,
    it would have been sent on that day.
    """
    return len(stage.simulator.books.inbox(phone)) >= count and not stage.is_sending()


def _list(stage: Stage, name: str) -> str:
    try:
        return (stage.spool / "clinic" / "out" / name).read_text("utf-8-sig")
    except FileNotFoundError:
        return ""

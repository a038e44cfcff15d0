# SPDX-License-Identifier: Apache-2.0
"""The course of an alarm: from a finding that lasts, through what it turns into, to its end.

Theory of operation: at each look the findings of the health record are compared with what was wrong
before. Time is added up while the daemon looks, by a clock that never jumps: a wall clock that is
set, or a day without the daemon, opens and ends nothing. A modem that comes and goes is seen often
enough to become an alarm, and is never gone for long enough to end it: it is one alarm, not many.
"""

from __future__ import annotations

from collections.abc import Sequence

from gsmgw import logs
from gsmgw.config import Alarms
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.store import events
from gsmgw.store.database import Row, Transaction
from gsmgw.store.watching import alarms

log = logs.get("alarms")

#: Findings that turn into one another and are one alarm, by the beginning of their names.
_ONE_SUBJECT = ("modem", "disk")
_SIM = ("sim.unusable", "sim.resting")
#: What is said of alarms themselves is no alarm: nobody would hear of it.
_OURS = "alarm."


class Course:
    """Opens and closes alarms. For one thread."""

    def __init__(self, config: Alarms) -> None:
        self._config = config
        self._receivers = alarms.receivers(config.hook, config.sms.to)

    def is_idle(self, known: Sequence[Row], troubles: Sequence[Trouble]) -> bool:
        """Tell whether there is nothing to write: all was well, and is."""
        return not known and not any(map(self._is_chosen, troubles))

    def follow(self, tx: Transaction, troubles: Sequence[Trouble], passed_s: float) -> None:
        """Take in what is wrong now.

        Args:
            tx: where it is written, with what is owed to those who are to be told.
            troubles: what is wrong, the worst first.
            passed_s: how long it is since the last look.
        """
        present = _by_subject([one for one in troubles if not self._is_left_out(one)])
        known = alarms.unclosed(tx)
        for row in known:
            trouble = present.pop((row["subject"], row["place"]), None)
            if trouble is not None and (row["opened_at"] or self._is_chosen(trouble)):
                alarms.seen(tx, row["id"], _finding(trouble), passed_s)
                self._judge_present(tx, row["id"])
            else:
                alarms.gone(tx, row["id"], passed_s)
                self._judge_absent(tx, row["id"])
        for trouble in present.values():
            if self._is_chosen(trouble):
                alarms.begin(tx, _finding(trouble))

    def _is_chosen(self, trouble: Trouble) -> bool:
        if self._is_left_out(trouble):
            return False
        important = trouble.level == "error" or self._config.level == "warning"
        return important or trouble.name in self._config.also

    def _is_left_out(self, trouble: Trouble) -> bool:
        return trouble.name in self._config.never or trouble.name.startswith(_OURS)

    def _judge_present(self, tx: Transaction, alarm_id: int) -> None:
        row = alarms.get(tx, alarm_id)
        if row is None:
            return
        if row["opened_at"] is None:
            if row["seen_s"] >= self._config.after:
                self._open(tx, row)
        elif row["told_level"] == "warning" and row["level"] == "error":
            alarms.owe(tx, alarm_id, "worse", self._receivers)
        elif self._config.repeat is not None and row["quiet_s"] >= self._config.repeat:
            alarms.owe(tx, alarm_id, "again", self._receivers)

    def _judge_absent(self, tx: Transaction, alarm_id: int) -> None:
        row = alarms.get(tx, alarm_id)
        if row is None or row["gone_s"] < self._config.over:
            return
        if row["opened_at"] is None:
            alarms.forget(tx, alarm_id)
        else:
            self._close(tx, row)

    def _open(self, tx: Transaction, row: Row) -> None:
        alarms.open_alarm(tx, row["id"])
        alarms.owe(tx, row["id"], "open", self._receivers)
        finding, place, level, what = (row[key] for key in ("finding", "place", "level", "what"))
        events.add(tx, "alarm.opened", finding=finding, place=place)
        tx.after_commit(
            lambda: log.warning(
                "alarm.opened",
                key=("finding", "place"),
                finding=finding,
                place=place or None,
                level=level,
                why=logs.masked(what),
            )
        )

    def _close(self, tx: Transaction, row: Row) -> None:
        alarms.close_alarm(tx, row["id"])
        alarms.owe(tx, row["id"], "closed", self._receivers)
        alarms.drop_oldest(tx)
        finding, place = row["finding"], row["place"]
        events.add(tx, "alarm.closed", finding=finding, place=place)
        tx.after_commit(
            lambda: log.info(
                "alarm.closed",
                limit=True,
                key=("finding", "place"),
                finding=finding,
                place=place or None,
            )
        )


def _by_subject(troubles: Sequence[Trouble]) -> dict[tuple[str, str], Trouble]:
    found: dict[tuple[str, str], Trouble] = {}
    for trouble in troubles:
        found.setdefault((subject(trouble.name), trouble.where), trouble)
    return found


def subject(name: str) -> str:
    """Return what a finding is about, so that what turns into something else stays one alarm."""
    if name in _SIM:
        return "sim"
    kind = name.partition(".")[0]
    return kind if kind in _ONE_SUBJECT else name


def _finding(trouble: Trouble) -> alarms.Finding:
    return alarms.Finding(
        subject(trouble.name),
        trouble.where,
        trouble.name,
        trouble.level,
        trouble.what,
        trouble.do,
    )

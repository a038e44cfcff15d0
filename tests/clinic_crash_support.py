# SPDX-License-Identifier: Apache-2.0
"""A clinic's day that survives: who answers what, and what must have come of it in the end.

What phones got is counted at the simulated network, the rest in the folders of the clinic.
"""

from __future__ import annotations

import collections
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_day_support import ClinicDay
from crash_support import CrashSite, scenario

DESK = "+48500100201"
HEAD = "nr_wizyty;data;godzina;lekarz;nr_pacjenta;imię;nazwisko;telefon;zgoda_sms\n"
#: So many visits of the week after, of which nobody hears in these days: for a second piece.
OTHERS = 50


@dataclass(frozen=True)
class Answer:
    """What a patient writes, and what must come of it."""

    step: str  #: where the daemon is killed
    text: str
    response: str = "needs-action"
    rows: tuple[str, ...] = ()  #: in replies.csv
    task: str = ""


YES = ("TAK", "accepted", ("accepted",))
NO = ("nie przyjdę", "declined", ("declined",))
CALL = ("ZADZWOŃ", "needs-action", ("callback",), "callback")
STOP = ("STOP", "needs-action", ("stop",), "stopped")
DAY = [
    Answer("heard.working", *CALL),
    Answer("heard.committing", *STOP),
    Answer("heard.committed", *NO),
    Answer("said.committing", *CALL),  # between a task and its notice
    Answer("said.committing", *STOP),  # between STOP and its acknowledgement
    Answer("said.committed", *CALL),
    Answer("said.committed", *STOP),
    Answer("handed.writing", *NO),  # between an answer and its file
    Answer("handed.committing", *YES),
]


class CrashDay(ClinicDay, CrashSite):
    """A clinic's box to be killed."""

    def patient(self, number: int) -> str:
        return f"+485001003{number:02d}"

    def put_in(self, name: str, content: str) -> None:
        """Put a file into clinic/in, whoever runs."""
        aside = self.folder / name
        aside.write_text(content, "utf-8")
        aside.rename(self.spool / "clinic" / "in" / name)

    def ack(self) -> tuple[int, int, int]:
        """Return what the table's acknowledgement counts: accepted, refused, requests."""
        found = json.loads((self.out / "ack" / "visits.csv.json").read_text("utf-8"))
        return found["accepted"], found["refused"], found["requests"]

    def is_day_done(self) -> bool:
        """Tell whether nothing is left that is due, also for the clinic's files."""
        # Where things come from before where they go: what moves on meanwhile is seen there.
        return (
            not any(map(self.sim.memory, self.names))
            and max((row["id"] for row in self.rows("inbox")), default=0) == self.cursor()
            # What is to be said now is due by the millisecond, `now` has whole seconds.
            and not self.rows("request", "status = 'active' AND due <= ?", self.now(60))
            and not self.rows("response", "exported IS NULL")
            and self.is_at_rest()
        )

    def until_asked(self) -> None:
        """Wait until every patient has got the question, and it is known to be there."""
        self.until(lambda: all(len(self.phone(self.patient(n))) == 1 for n in range(len(DAY))))
        self.until(self.is_day_done)

    def answer(self) -> None:
        """Let every patient answer at once."""
        for number, answer in enumerate(DAY):
            self.sim.receive(
                self.patient(number), self.names[number % len(self.names)], answer.text
            )

    def finish_day(self) -> None:
        """Run the daemon until all is done, and its lists tell so."""
        self.go_on()
        self.until(self.is_day_done)
        answered = sum(len(answer.rows) for answer in DAY)
        self.until(lambda: len(self.files("clinic/out/replies")) >= answered)
        self.until(lambda: len(self.table("replies.csv")) >= answered)
        self.until(lambda: len(self.table("tasks.csv")) >= len(self.rows("task")))


@contextlib.contextmanager
def crash_day(folder: Path, layout: dict[str, Any] | None = None) -> Iterator[CrashDay]:
    """Set up a clinic's box on a Monday that does not run yet; take it down whatever happens."""
    box = CrashDay(folder, "Mon 08:00", scenario=layout or scenario())
    try:
        yield box
    finally:
        box.close()


def table() -> str:
    """Return the clinic's table: a visit on Thursday for each answer, and those a week later."""
    rows = [
        f"A-{number};05.03.2026;{9 + number // 4:02d}:{number % 4 * 15:02d};dr Jan Lis;{number};"
        f"Anna;Dąb;+485001003{number:02d};T\n"
        for number in range(len(DAY))
    ]
    rows += [
        f"B-{number};12.03.2026;10:00;dr Jan Lis;{1000 + number};Ola;Lipa;"
        f"+485001004{number:02d};T\n"
        for number in range(OTHERS)
    ]
    return HEAD + "".join(rows)


def check_day(box: CrashDay) -> None:
    """Assert that the day is as it would have been without a kill."""
    assert box.sim.books.duplicates() == [], box.log
    for number, answer in enumerate(DAY):
        phone = box.patient(number)
        assert len(box.phone(phone)) == 2, (answer, box.phone(phone))  # question, acknowledgement
        assert box.visit(f"A-{number}")["response"] == answer.response, answer
        assert len(box.rows("response", "phone = ?", phone)) == len(answer.rows), answer
        tasks = [(row["code"], row["attempts"]) for row in box.tasks(phone=phone)]
        assert tasks == ([(answer.task, 1)] if answer.task else []), answer
        denied = {row["decision"] for row in box.rows("consent", "phone = ?", phone)}
        assert denied == ({"deny"} if answer.text == "STOP" else set()), answer
    check_folders(box)
    calls = [box.patient(number) for number, a in enumerate(DAY) if a.task == "callback"]
    notices = box.phone(DESK)
    assert len(notices) == len(calls)
    assert all(any(phone in (text or "") for text in notices) for phone in calls)
    assert len(box.rows("request", "kind = 'reminder'")) == 2 * (len(DAY) + OTHERS)
    assert {row["state"] for row in box.rows("outbox")} <= {"sent", "delivered"}


def check_folders(box: CrashDay) -> None:
    """Assert that each answer stands once in each place."""
    files = [json.loads(text) for text in box.files("clinic/out/replies").values()]
    once = {box.patient(number): len(answer.rows) for number, answer in enumerate(DAY)}
    assert collections.Counter(found["phone"] for found in files) == once
    assert collections.Counter(row["phone"] for row in box.table("replies.csv")) == once
    work = collections.Counter((row["phone"], row["code"]) for row in box.table("tasks.csv"))
    assert work == {(box.patient(n), a.task): 1 for n, a in enumerate(DAY) if a.task}

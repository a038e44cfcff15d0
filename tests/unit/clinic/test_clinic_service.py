# SPDX-License-Identifier: Apache-2.0
"""One service runs the clinic's day: it looks by itself, wakes others, bears a busy store."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from clinic_saying_support import Desk, Make, ask
from clinic_support import PHONE, make_clinic_config

from gsmgw import logs
from gsmgw.cli import main
from gsmgw.clinic import lengths, service
from gsmgw.clinic.model import Kind
from gsmgw.clinic.wording import Wording
from gsmgw.errors import ConfigError, StoreBusyError
from gsmgw.gateway.hints import Hints
from gsmgw.model import InboxKind
from gsmgw.store import inbox
from gsmgw.threads import StopToken


class Day:
    """A clinic with its service, stepped by the test."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.hints = Hints()
        self.woken: list[str] = []
        self.hints.add_modem(lambda: self.woken.append("modem"))
        self.service = service.ClinicService(
            desk.config, desk.db, self.hints, desk.intake, desk.trust, desk.clock
        )
        self.service.open()

    def work(self, local: str | None = None) -> None:
        if local is not None:
            self.desk.it_is(local)
        for _ in range(100):
            if not self.service.work():
                return
        raise AssertionError("it never ends")

    def texts(self) -> list[str]:
        return [row["text"] for row in self.desk.rows("SELECT text FROM outbox ORDER BY id")]

    def arrive(self, text: str | None, kind: InboxKind = InboxKind.SMS) -> None:
        with self.desk.db.write() as tx:
            arrival = inbox.Arrival(PHONE, text, kind, "front", None)
            inbox.add(tx, arrival, [], tx.now)

    def sent(self) -> None:
        with self.desk.db.write() as tx:
            tx.run("UPDATE outbox SET state = 'delivered', sent_at = ?, settled_at = ?"
                   " WHERE settled_at IS NULL", (tx.now, tx.now))  # fmt: skip


def test_a_day(desk: Desk) -> None:
    day = Day(desk)
    desk.book(given="Anna")
    day.work("2026-03-03 10:00")
    assert day.texts() == [ask("Anna", "10:15")]
    assert day.woken
    assert day.hints.clinic_out.wait(0)
    day.sent()
    desk.clock.advance(420)
    day.arrive("Tak")
    day.work()
    assert desk.visit("A-1001")["response"] == "accepted"
    assert day.texts()[1:] == ["Przychodnia Lipowa: dziekujemy, wizyta 05.03 10:15 potwierdzona."]
    day.work("2026-03-04 10:00")
    assert len(day.texts()) == 2  # nobody asks again


def test_a_missed_call_in_the_evening_becomes_work_and_one_digest(make: Make) -> None:
    desk = make(
        staff={
            "reception": {
                "phone": "+48500100298",
                "gets": "all",
                "hours": {"mon-fri": "08:00-18:00"},
                "digest": "08:00",
            }
        }
    )
    day = Day(desk)
    desk.it_is("2026-03-06 19:30")
    day.arrive(None, InboxKind.MISSED_CALL)
    day.work()
    assert len(day.texts()) == 1
    assert "jestesmy zamknieci" in day.texts()[0]
    day.work("2026-03-09 08:00")
    assert day.texts()[1:] == ["Przychodnia Lipowa: do zrobienia pon. 09.03: oddzwonic 1."]


def test_doses_are_planned_and_said(desk: Desk) -> None:
    from gsmgw.clinic.model import Notice

    day = Day(desk)
    desk.book(given="Anna", patient_id="4711")
    desk.it_is("2026-03-02 09:00")
    notice = Notice(
        "regimen",
        patient="4711",
        times=("10:00", "22:00"),
        day=desk.calendar.day(desk.clock.now()),
        last_day=desk.calendar.day(desk.at("2026-03-04 12:00")),
        ref="R-1",
    )
    with desk.db.write() as tx:
        desk.booking.take(tx, notice)
    day.work("2026-03-02 10:00")
    day.work("2026-03-02 22:00")
    assert [text[15:34] for text in day.texts()] == ["pora na lek (10:00)", "pora na lek (22:00)"]


def test_a_clock_set_forward_is_noticed_at_the_next_look(desk: Desk) -> None:
    day = Day(desk)
    desk.book(given="Anna")
    day.work()
    assert day.texts() == []
    desk.clock.jump((desk.at("2026-03-03 10:00") - desk.clock.now()).total_seconds())
    day.work()
    assert len(day.texts()) == 1


def test_doses_of_a_day_to_which_the_clock_is_set_are_said(desk: Desk) -> None:
    from gsmgw.clinic.model import Notice

    day = Day(desk)
    desk.book(given="Anna", patient_id="4711", at="2026-03-20 10:15")
    desk.it_is("2026-03-02 09:00")
    first, last = (desk.calendar.day(desk.at(f"2026-03-{of} 12:00")) for of in ("02", "12"))
    notice = Notice("regimen", patient="4711", times=("10:00",), day=first, last_day=last)
    with desk.db.write() as tx:
        desk.booking.take(tx, notice)
    day.work()
    desk.clock.jump((desk.at("2026-03-06 10:00") - desk.clock.now()).total_seconds())
    day.work()
    day.work()
    assert [text[15:34] for text in day.texts()] == ["pora na lek (10:00)"]


def test_a_step_ends_when_it_is_to_stop_and_remembers_that_there_is_more(desk: Desk) -> None:
    day = Day(desk)
    for number in range(40):
        desk.book(f"A-{number}", phone=f"+485001002{number:02d}", patient_id=str(number))
    desk.it_is("2026-03-03 10:00")
    stop = StopToken()
    stop.set()
    day.service.step(stop)
    assert 0 < len(day.texts()) < 40
    assert day.hints.clinic.wait(0)
    day.work()
    assert len(day.texts()) == 40


def test_a_busy_store_is_tried_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    day = Day(desk)
    day.work()
    desk.request(Kind.RESULTS)
    desk.it_is("2026-03-02 10:00")

    @contextlib.contextmanager
    def busy() -> Any:
        raise StoreBusyError("locked")
        yield

    stop = StopToken()
    stop.set()
    with monkeypatch.context() as patched, logs.capture() as lines:
        patched.setattr(desk.db, "write", busy)
        day.service.step(stop)
    assert [line.event for line in lines] == ["store.unavailable"]
    day.service.step(stop)
    assert len(day.texts()) == 1
    day.service.close()


# -- the check of the configuration ---------------------------------------------------------------


def test_our_texts_leave_nothing_to_remark() -> None:
    for language in ("pl", "es", "en"):
        assert service.check(make_clinic_config(clinic={"language": language})) == []


def test_texts_that_cost_two_or_age_badly_are_remarked(tmp_path: Path) -> None:
    own = tmp_path / "texts.yaml"
    own.write_text(
        'reminder_a: {pl: "Jutro {first} {date} {time} www.example.org", de: "{date} {time}"}\n'
        f'results: {{pl: "{"x" * 161}", de: "ж"}}\n',
        encoding="utf-8",
    )
    config = make_clinic_config(clinic={"templates": str(own)})
    found = lengths.remarks(config, Wording(config))
    assert found[:3] == [
        "clinic.templates: reminder_a, pl: it says 'Jutro', which is wrong once it is read on"
        " another day",
        "clinic.templates: reminder_a, pl: it holds a link; patients are warned of links in texts",
        "clinic.templates: results, pl: 2 SMS with long values: 161 of 160 characters",
    ]
    assert any("no text in de for booked, " in words for words in found)


def test_the_longest_name_of_a_site_counts() -> None:
    name = "Centrum Medyczne Lipowa przy Parku Saskim"
    sites = {"X": {"name": name, "phone": "+48 81 555 12 34"}}
    found = service.check(make_clinic_config(clinic={"locations": sites}))
    words = "clinic.templates: reminder_family, pl: 2 SMS with long values: 174 of 160 characters"
    assert words in found


def test_mistakes_beyond_the_file_are_mistakes(tmp_path: Path) -> None:
    own = tmp_path / "texts.yaml"
    own.write_text('dose: {pl: "{nothing}"}')
    with pytest.raises(ConfigError):
        service.check(make_clinic_config(clinic={"templates": str(own)}))
    with pytest.raises(ConfigError):
        service.check(make_clinic_config(staff={"desk": {"phone": "none"}}))


def test_the_command_names_mistakes_and_remarks(tmp_path: Path) -> None:
    own, path = tmp_path / "texts.yaml", tmp_path / "gsmgw.yaml"
    path.write_text(
        "clinic: {name: Przychodnia Lipowa, phone: '815551234', templates: texts.yaml}\n"
        "reminders: {plan: [{template: remind, at: 3h}]}\n"
    )
    own.write_text(f'results: {{pl: "{"x" * 161}"}}\nremind: {{pl: "{{first}} {{time}}"}}\n')
    found = CliRunner().invoke(main.cli, ["--config", str(path), "check"])
    assert found.exit_code == 0, found.output
    assert "unwise: clinic.templates: results, pl: 2 SMS" in found.output
    own.write_text('results: {pl: "{frist}"}\n')
    found = CliRunner().invoke(main.cli, ["--config", str(path), "check", "--json"])
    assert found.exit_code == 78
    problems = json.loads(found.output)["problems"]
    assert "texts.yaml, line 1: results, pl: {frist} is unknown here" in problems[0]
    assert "there is no template 'remind'" in problems[1]

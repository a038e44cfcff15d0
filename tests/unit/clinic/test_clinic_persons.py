# SPDX-License-Identifier: Apache-2.0
"""A person is shown all that is stored of them, and forgotten without a trace; figures stay."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import factories
import pytest
from clinic_support import PHONE, Clinic, make_patient, make_visit
from gateway_support import Rig

from gsmgw.clinic import persons
from gsmgw.clinic.handing import figures
from gsmgw.errors import RefusedRecordError
from gsmgw.model import Category, InboundPdu, InboxKind
from gsmgw.store import consent, events, inbox, reports
from gsmgw.store.clinic import erasing, people, responses, tasks
from gsmgw.store.clinic import persons as rows

NUMBER = "500100201"
SWAPPED = "8405100012"


def everything(clinic: Clinic) -> str:
    """Return all rows of all tables."""
    tables = [
        row["name"] for row in clinic.rows("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    found = []
    for table in tables:
        for row in clinic.rows(f"SELECT * FROM {table}"):
            found.append(f"{table}: {dict(row)}")
    return "\n".join(found)


def forget(clinic: Clinic, whom: str) -> dict[str, int]:
    person = persons.find(clinic.db, whom, "PL")
    with clinic.db.write() as tx:
        persons.withdraw(tx, person)
        return persons.forget(tx, person, "Ewa")


def arrive(clinic: Clinic, text: str, phone: str = PHONE) -> int:
    """Let an SMS come in; return its row in the inbox."""
    with clinic.db.write() as tx:
        raw = inbox.RawPart(InboundPdu("front", f"07{SWAPPED}"), None, "deliver", sender=phone)
        part = inbox.add_raw(tx, raw)
        arrival = inbox.Arrival(phone, text, InboxKind.SMS, "front", None)
        return inbox.add(tx, arrival, [part], tx.now)


def live(clinic: Clinic, patient: str = "77123", phone: str = PHONE, visit: str = "A-1001") -> None:
    """Let a patient be booked, asked, answer, and become work in every table there is."""
    who = make_patient(patient, given="Gertruda", family="Zimorodek", phone=phone)
    clinic.take(make_visit(visit, patient=who), source="Jan")
    request_id = clinic.waits(visit)[0]["id"]
    clinic.said(request_id)
    inbox_id = arrive(clinic, "boli mnie kolano", phone)
    with clinic.db.write() as tx:
        new = tasks.NewTask(
            "review", phone, patient, visit, note="Gertruda Zimorodek (77123): kolano"
        )
        task = clinic.work.add(tx, new)
        tasks.add(tx, tasks.NewTask("urgent", None, note=f"ring {NUMBER[:3]} {NUMBER[3:]}"))
        responses.add(
            tx,
            responses.NewResponse(
                inbox_id,
                phone,
                "decline",
                applied=True,
                at=tx.now,
                text="boli mnie kolano",
                request_id=request_id,
                appointment_id=visit,
                patient_id=patient,
                status="declined",
                task_id=task.task_id,
            ),
        )
        tx.run(
            "INSERT INTO call_try (appointment_id, phone, at, outcome, note)"
            " VALUES (?, ?, ?, 'busy', 'kolano')",
            (visit, phone, tx.now),
        )
        tx.run(
            "INSERT INTO regimen (patient_id, times, first_day, last_day, created_at)"
            " VALUES (?, '[\"08:00\"]', '2026-03-03', '2026-03-04', ?)",
            (patient, tx.now),
        )
        message = tx.insert(
            "INSERT INTO outbox (recipient, text, source, reference, state, error, spool_file)"
            " VALUES (?, 'kolano', 'cli', ?, 'queued', ?, ?)",
            (phone, phone, phone, phone),
        )
        tx.run(
            "INSERT INTO part (message_id, number, text, error) VALUES (?, 1, 'kolano', ?)",
            (message, phone),
        )
        part = tx.row("SELECT max(id) AS id FROM part")
        assert part is not None
        tx.run(
            "INSERT INTO attempt (part_id, modem, claimed_at, error) VALUES (?, 'front', ?, ?)",
            (part["id"], tx.now, phone),
        )
        tx.run(
            "INSERT INTO outbox (recipient, text, source, state) VALUES (?, ?, 'cli', 'sent')",
            ("+48500100298", f"Ring 500-100-201, {phone}"),
        )
        tx.run(
            "INSERT INTO command (modem, kind, line, asked_at, expires_at)"
            " VALUES ('front', 'at', ?, ?, ?)",
            (f"ATD{phone};", tx.now, tx.now),
        )
        events.add(tx, "consent.denied", phone="+48500***201", patient=patient)
        events.add(tx, "message.accepted", message_id=message, file=f"to-{phone}")
        for category in (Category.CARE, Category.SURVEY):
            consent.decide(tx, phone, category, "deny", "sms")
        consent.decide(tx, phone, Category.MARKETING, "permit", "sms")


def test_a_forgotten_person_stands_in_no_table(clinic: Clinic) -> None:
    live(clinic)
    changed = forget(clinic, PHONE)
    left = everything(clinic)
    for word in (NUMBER, SWAPPED, "500 100", "Gertruda", "Zimorodek", "77123", "kolano", "A-1001"):
        assert word not in left, [line for line in left.splitlines() if word in line]
    assert "500***201" not in left
    assert changed["patients"] == changed["visits"] == 1
    (told,) = clinic.rows("SELECT detail FROM event WHERE name = 'person.forgotten'")
    assert json.loads(told["detail"])["who"] == "Ewa"


def test_what_was_to_be_said_is_withdrawn(clinic: Clinic) -> None:
    live(clinic)
    forget(clinic, "77123")
    assert clinic.waiting() == []
    states = {row["state"] for row in clinic.rows("SELECT state FROM outbox WHERE text = ''")}
    assert states == {"sent", "cancelled"}
    assert clinic.tasks() == ["urgent None"]


def test_figures_stay_as_they_were(clinic: Clinic) -> None:
    live(clinic)
    days = [dt.date(2026, 3, day) for day in range(1, 8)]

    def counted() -> list[figures.Figures]:
        found = [figures.of_day(clinic.db, day, clinic.config.zone, 0.07) for day in days]
        # What was to be said on the days to come is not said any more.
        return [
            {key: value for key, value in one.items() if key[1] not in ("callbacks",)}
            for one in found
        ]

    before = counted()
    forget(clinic, PHONE)
    assert counted() == before


@pytest.mark.parametrize("wrote", [None, "Kto to?"])
def test_who_did_not_answer_counts_as_silent_or_unclear_as_before(
    clinic: Clinic, wrote: str | None
) -> None:
    clinic.take(make_visit())
    request_id = clinic.waits("A-1001")[-1]["id"]  # the last reminder
    clinic.said(request_id)
    if wrote is not None:
        inbox_id = arrive(clinic, wrote)
        with clinic.db.write() as tx:
            new = responses.NewResponse(
                inbox_id, PHONE, "unclear", applied=False, at=tx.now, request_id=request_id
            )
            responses.add(tx, new)
    (asked,) = clinic.rows("SELECT due FROM request WHERE id = ?", request_id)
    day = dt.datetime.fromisoformat(asked["due"]).date()

    def counted() -> dict[str, float]:
        found = figures.of_day(clinic.db, day, clinic.config.zone, 0.07)
        return {name: value for (_, kind, name), value in found.items() if kind == "reminder"}

    before = counted()
    forget(clinic, PHONE)
    assert counted() == before
    assert (before["asked"], before["unclear"], before["silent"]) == (
        (1, 0, 1) if wrote is None else (1, 1, 0)
    )


def test_an_objection_outlives_the_number(clinic: Clinic) -> None:
    live(clinic)
    forget(clinic, PHONE)
    assert clinic.rows("SELECT * FROM consent") == []
    assert consent.decision(clinic.db, PHONE, Category.CARE) == "deny"
    assert consent.decision(clinic.db, PHONE, Category.MARKETING) is None
    assert consent.decision(clinic.db, "+48500100209", Category.CARE) is None
    assert clinic.take(make_visit("A-2", patient=make_patient("9"))).warnings == ("stopped",)
    with clinic.db.write() as tx:
        consent.decide(tx, PHONE, Category.CARE, "permit", "sms")
    forget(clinic, PHONE)
    assert consent.decision(clinic.db, PHONE, Category.CARE) is None
    assert consent.decision(clinic.db, PHONE, Category.SURVEY) == "deny"


def test_of_a_shared_phone_only_what_is_about_the_patient_goes(clinic: Clinic) -> None:
    live(clinic)
    other = make_patient("4712", given="Ola", family="Lipa")
    clinic.take(make_visit("A-1002", patient=other))
    forget(clinic, "77123")
    left = everything(clinic)
    assert "Zimorodek" not in left
    assert "boli mnie" not in left
    assert people.get(clinic.db, "4712") is not None
    assert consent.decision(clinic.db, PHONE, Category.CARE) == "deny"
    assert clinic.rows("SELECT * FROM outbox WHERE recipient = ?", PHONE)
    assert clinic.visit("A-1002")["patient_id"] == "4712"


def test_export_shows_the_person_and_no_other(clinic: Clinic) -> None:
    live(clinic)
    clinic.take(make_visit("A-1002", patient=make_patient("4712", given="Ola", family="Lipa")))
    shared = persons.document(clinic.db, persons.find(clinic.db, "77123", "PL"))
    assert "Ola" not in json.dumps(shared)
    assert [one["id"] for one in shared["visits"]] == ["A-1001"]
    assert shared["answers"][0]["text"] == "boli mnie kolano"
    whole = persons.document(clinic.db, persons.find(clinic.db, "500 100 201", "PL"))
    assert [one["id"] for one in whole["patients"]] == ["4712", "77123"]
    names = {name for name, found in whole.items() if found}
    assert names == {
        *("patients", "phone", "consents", "visits", "medicines", "planned", "messages"),
        *("received", "answers", "tasks", "calls"),
    }


def test_who_is_unknown_is_said(clinic: Clinic) -> None:
    with pytest.raises(RefusedRecordError, match="neither"):
        persons.find(clinic.db, "nobody", "PL")
    assert not persons.is_known(clinic.db, persons.find(clinic.db, PHONE, "PL"))


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("+48500100201", True),
        ("0048 500 100 201", True),
        ("(500) 100-201", True),
        ("tel.500.100.201;", True),
        ("48500100201", True),
        ("15001002019", False),
        ("+49500100201", False),
        ("500100202", False),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str, is_found: bool) -> None:
    pattern = rows.Person((), PHONE, national=NUMBER).number_pattern()
    assert pattern is not None
    assert bool(pattern.search(text)) is is_found


# -- after its time -------------------------------------------------------------------------------


def test_what_patients_wrote_is_emptied_after_its_time(clinic: Clinic) -> None:
    live(clinic)
    with clinic.db.write() as tx:
        for row in tasks.open_tasks(tx):
            tasks.close(tx, row["id"], "completed", "Ewa", "kolano")
    assert erasing.empty_old_texts(clinic.db, clinic.stored("2026-03-02 08:00")) == 0
    clinic.it_is("2026-06-10 08:00")
    assert erasing.empty_old_texts(clinic.db, clinic.stored("2026-06-01 08:00")) == 4
    for table in ("response", "task", "call_try"):
        assert "kolano" not in str([dict(row) for row in clinic.rows(f"SELECT * FROM {table}")])


def test_a_person_goes_after_the_last_visit_and_message(clinic: Clinic) -> None:
    live(clinic)
    clinic.it_is("2026-03-20 08:00")
    clinic.take(
        make_visit("B-1", clinic.at("2026-03-24 09:00"), make_patient("1", phone="500100209"))
    )
    with clinic.db.write() as tx:
        for row in tasks.open_tasks(tx):
            tasks.close(tx, row["id"], "completed", "Ewa", "done")
        tx.run("UPDATE regimen SET status = 'completed'")
        tx.run("UPDATE outbox SET state = 'sent', settled_at = ?", (tx.now,))
    assert erasing.forget_old_persons(clinic.db, clinic.stored("2026-03-01 08:00")) == 0
    assert erasing.forget_old_persons(clinic.db, clinic.stored("2026-03-10 08:00")) > 0  # audit
    assert "Zimorodek" in everything(clinic)  # their work was closed later
    erasing.forget_old_persons(clinic.db, clinic.stored("2026-03-21 08:00"))
    assert "Zimorodek" not in everything(clinic)
    assert people.get(clinic.db, "1") is not None
    assert clinic.visit("B-1")["patient_id"] == "1"


def test_objections_of_nobodys_numbers_become_hashes(clinic: Clinic) -> None:
    with clinic.db.write() as tx:
        consent.decide(tx, PHONE, Category.CARE, "deny", "sms")
        consent.decide(tx, "+48500100202", Category.MARKETING, "permit", "sql")
    clinic.it_is("2026-04-01 08:00")
    erasing.forget_old_persons(clinic.db, clinic.stored("2026-03-20 08:00"))
    assert [row["phone"] for row in clinic.rows("SELECT * FROM consent")] == ["+48500100202"]
    assert consent.decision(clinic.db, PHONE, Category.CARE) == "deny"


def test_a_report_that_comes_late_is_emptied(clinic: Clinic) -> None:
    live(clinic)
    forget(clinic, PHONE)
    with clinic.db.write() as tx:
        raw = inbox.add_raw(tx, inbox.RawPart(InboundPdu("front", SWAPPED), None, "status-report"))
        new: Any = (None, "front", 1, PHONE, 145, None, None, "2026-03-02T08:00:00.000Z", 0, raw)
        report = reports.add(tx, reports.NewReport(*new))
        part = tx.row("SELECT id FROM part")
        assert part is not None
        tx.run("UPDATE status_report SET part_id = ? WHERE id = ?", (part["id"], report))
    late = erasing.late_reports(clinic.db)
    with clinic.db.write() as tx:
        erasing.empty_reports(tx, late)
    assert erasing.late_reports(clinic.db) == []
    assert NUMBER not in everything(clinic)
    assert SWAPPED not in everything(clinic)


def test_the_gateway_lets_go_by_itself(tmp_path: Path) -> None:
    rig = Rig(tmp_path, factories.make_config(retention={"text": "90d", "person": "400d"}))
    with rig.db.write() as tx:
        people.add(tx, "77123", {"family": "Zimorodek", "phone": PHONE})
        task = tasks.add(tx, tasks.NewTask("review", PHONE, note="kolano"))
        tasks.close(tx, task.task_id, "completed", "Ewa", "done")
        consent.decide(tx, PHONE, Category.CARE, "deny", "sms")
    for days, left in ((89, {"kolano", "Zimorodek"}), (2, {"Zimorodek"}), (400, set())):
        rig.clock.advance(days * 86400 + 1000)
        rig.housekeeping.work()
        content = b"".join(path.read_bytes() for path in rig.db.path.parent.glob("gsmgw.db*"))
        assert {word for word in ("kolano", "Zimorodek") if word.encode() in content} == left
    assert NUMBER.encode() not in content
    assert consent.decision(rig.db, PHONE, Category.CARE) == "deny"
    rig.close()


def test_what_came_between_the_look_and_the_erasure_is_erased_too(clinic: Clinic) -> None:
    clinic.take(make_visit(patient=make_patient(phone=NUMBER)))
    person = persons.find(clinic.db, NUMBER, "PL")
    _write_texts(clinic, f"Prosze dzwonic: {NUMBER}")
    mentions = rows.find_mentions(clinic.db, person)
    _write_texts(clinic, f"Jeszcze raz: {NUMBER}", "nic")
    with clinic.db.write() as tx:
        assert rows.find_mentions(tx, person, mentions).found["outbox"] == (1, 2)
        persons.forget(tx, person, "Ewa", mentions)
    assert [row["text"] for row in clinic.db.rows("SELECT text FROM outbox ORDER BY id")] == [
        "", "", "nic",
    ]  # fmt: skip


def _write_texts(clinic: Clinic, *texts: str) -> None:
    with clinic.db.write() as tx:
        for text in texts:
            tx.insert("INSERT INTO outbox (recipient, text) VALUES ('+48500100299', ?)", (text,))


@pytest.mark.parametrize("kept", [0, 40])
def test_traces_are_looked_for_where_nothing_stands(tmp_path: Path, kept: int) -> None:
    """What others are called is no trace; what lies in a hole of the file is one."""
    path, person = tmp_path / "trace.db", rows.Person((), None, ("Zimorodek",))
    connection = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE patient (id INTEGER PRIMARY KEY, family TEXT)")
        for number in range(60):
            name = "Zimorodek" if number == 30 else f"Nowak {number}"
            connection.execute("INSERT INTO patient VALUES (?, ?)", (number, name))
        assert not rows.has_octets(path, person)
        connection.execute("DELETE FROM patient WHERE id = 30 OR id > ?", (kept,))
        assert rows.has_octets(path, person)
        connection.execute("VACUUM")
        assert not rows.has_octets(path, person)

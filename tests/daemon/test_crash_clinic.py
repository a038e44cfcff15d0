# SPDX-License-Identifier: Apache-2.0
"""kill -9 again and again while a clinic's table is applied: all of it once, and counted right."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path

import pytest
from site_support import Site, site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

VISITS = 1500
SETTINGS = {
    "clinic": {"name": "Lipowa", "phone": "815551234", "hours": {"mon-sun": "00:00-24:00"}},
    "reminders": {"booked": "off"},
}


def count(box: Site, sql: str) -> int:
    connection = sqlite3.connect(f"file:{box.database}?mode=ro", uri=True, timeout=30)
    try:
        return int(connection.execute(sql).fetchone()[0])
    finally:
        connection.close()


def test_a_table_is_applied_once_however_often_the_daemon_is_killed(tmp_path: Path) -> None:
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=20)
    rows = [
        f"A-{n};{day:%d.%m.%Y};{8 + n % 10:02d}:{n % 60:02d};P-{n};Anna;+4850010{n:04d}"
        for n in range(VISITS)
    ]
    with site(tmp_path / "box", settings=SETTINGS) as box:
        aside = box.folder / "aside"
        header = "nr_wizyty;data;godzina;nr_pacjenta;imię;telefon"
        aside.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        aside.rename(box.spool / "clinic" / "in" / "visits.csv")
        for part in range(1, 4):
            wanted = part * VISITS // 5
            box.until(
                lambda wanted=wanted: count(box, "SELECT count(*) FROM appointment") >= wanted
            )
            box.kill()
            box.start()
        path = box.spool / "clinic" / "out" / "ack" / "visits.csv.json"
        box.until(path.exists)
        ack = json.loads(path.read_bytes())
        assert (ack["accepted"], ack["refused"], ack["warnings"]) == (VISITS, 0, [])
        assert count(box, "SELECT count(*) FROM appointment WHERE version = 1") == VISITS
        assert ack["requests"] == count(box, "SELECT count(*) FROM request")
        box.until(
            lambda: count(box, "SELECT count(*) FROM import_file WHERE finished_at IS NULL") == 0
        )
        assert count(box, "SELECT count(*) FROM import_file") == 1

# SPDX-License-Identifier: Apache-2.0
"""The doctor is ill: visits moved and cancelled by HL7 files, answers that come at a bad moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from clinic_day_support import ClinicDay, clinic_day

pytestmark = pytest.mark.slow

NAME = "Przychodnia Lipowa"
ANNA, DESK = "+48601234567", "+48500100201"


def message(
    event: str, control: str, start: str, *, reason: str = "", status: str = "Booked"
) -> str:
    """Return an SIU message with its segments parted as HL7 wants it."""
    segments = [
        f"MSH|^~\\&|GABINET|PRZYCHODNIA|GSMGW|PRZYCHODNIA|20260302081500||SIU^{event}^SIU_S12|"
        f"{control}|P|2.5||||||UNICODE UTF-8",
        f"SCH|P-7001|A-1001||||{reason}|KONTROLA|NORMAL|20|min|^^20^{start}|||||9^Nowak^Ewa||||"
        f"9^Nowak^Ewa|||||{status}",
        "PID|1||4711^^^PRZYCHODNIA^PI||Kowalska^Anna||19840512|F|||||^PRN^PH^^48^81^5551234~"
        "^PRN^CP^^48^601^234567||pl",
        "RGS|1|A",
        f"AIP|1|A|33^Zielinski^Jan^^^dr|D||{start}|||20|min||Booked",
    ]
    return "\r".join(segments) + "\r"


THURSDAY, FRIDAY = "20260305101500+0100", "20260306090000+0100"
ASKED = (
    f"{NAME}: Anna, wizyta czw. 05.03 godz. 10:15. Odpisz TAK, aby potwierdzic, NIE, aby odwolac."
    " Tel. 815551234"
)
CHANGED = (
    f"{NAME}: zmiana terminu. Nowa wizyta: pt. 06.03 godz. 09:00. Odpisz TAK lub NIE. Tel."
    " 815551234"
)
CANCELLED = (
    f"{NAME}: wizyta 06.03 09:00 odwolana, przepraszamy. Nowy termin: 815551234 lub odpisz ZADZWON."
)


def acks(box: ClinicDay, name: str) -> list[str]:
    """Return the MSA segments of an acknowledgement file."""
    text = (box.out / "ack" / name).read_bytes().decode()
    return [line for line in text.replace("\n", "\r").split("\r") if line.startswith("MSA")]


def test_a_visit_is_moved_and_cancelled_while_the_patient_answers(tmp_path: Path) -> None:
    with clinic_day(tmp_path / "box", "Mon 08:15") as box:
        box.hand_in("m1.hl7", message("S12", "M0001", THURSDAY))
        assert acks(box, "m1.hl7") == ["MSA|AA|M0001"]
        box.at("Mon 08:16")
        again = box.hand_in("m2.hl7", message("S12", "M0001", THURSDAY))
        assert again["requests"] == 0
        assert acks(box, "m2.hl7") == ["MSA|AA|M0001"]

        box.at("Tue 10:00")
        box.until_texts(ANNA, ASKED)

        # Her phone has no network while the next text is on its way.
        box.at("Tue 12:00")
        box.sim.network.set_reachable(ANNA, reachable=False)
        box.hand_in("m3.hl7", message("S13", "M0002", FRIDAY))
        box.until(lambda: box.texts == [ASKED, CHANGED])
        moved = [row for row in box.rows("request") if row["reason"] == "moved"]
        assert [row["kind"] for row in moved] == ["reminder"]
        box.at("Tue 12:00:30")
        box.reply(ANNA, "TAK")
        assert box.visit("A-1001")["response"] == "needs-action"
        assert box.tasks(code="review", phone=ANNA) != []
        box.sim.network.set_reachable(ANNA, reachable=True)
        box.until_texts(ANNA, ASKED, CHANGED)
        box.until(lambda: {row["state"] for row in box.rows("outbox")} == {"delivered"})

        box.at("Tue 12:20")
        box.reply(ANNA, "TAK")
        assert box.visit("A-1001")["response"] == "accepted"
        box.until(lambda: len(box.phone(ANNA)) == 3)  # with our thanks
        box.until_row(
            "replies.csv", appointment="A-1001", answer="accepted", start="2026-03-06 09:00"
        )

        box.at("Wed 07:00")
        box.hand_in("m4.hl7", message("S15", "M0003", FRIDAY, reason="LEKARZ", status="Cancelled"))
        assert acks(box, "m4.hl7") == ["MSA|AA|M0003"]
        assert box.visit("A-1001")["status"] == "cancelled"
        before = box.phone(ANNA)
        box.at("Wed 07:59:30")
        assert box.phone(ANNA) == before
        box.at("Wed 08:00:01")
        box.until_texts(ANNA, *before, CANCELLED)

        box.at("Wed 08:05")
        box.reply(ANNA, "ZADZWOŃ")
        (task,) = box.tasks(code="callback", phone=ANNA)
        box.until(lambda: any(ANNA in (text or "") for text in box.phone(DESK)))
        done = box.run("clinic", "task", "done", str(task["id"]), "--owner", "Ewa")
        assert done.returncode == 0, done.stderr
        assert box.tasks(code="callback", phone=ANNA)[0]["status"] == "completed"

        box.at("Wed 09:00")
        lenient = message("S12", "M0004", "20260309101500+0100").replace("A-1001", "A-2001")
        box.hand_in("lf.hl7", lenient.replace("\r", "\n"))
        assert acks(box, "lf.hl7") == ["MSA|AA|M0004"]
        assert box.visit("A-2001")["status"] == "booked"

        box.at("Wed 09:05")
        nobody = message("S12", "M0006", THURSDAY).replace("PID|", "ZID|")
        bad = message("S99", "M0005", THURSDAY) + nobody
        found = box.hand_in("bad.hl7", bad)
        assert found["refused"] == 2
        codes = [line.split("|")[1] for line in acks(box, "bad.hl7")]
        assert set(codes) <= {"AE", "AR"}
        box.until(lambda: "bad.hl7.err" in box.files("clinic/failed"))
        box.hand_in("garbage.hl7", b"\x00\xff no HL7 at all")
        box.until(lambda: "garbage.hl7.err" in box.files("clinic/failed"))
        later = message("S12", "M0007", "20260310101500+0100").replace("A-1001", "A-3001")
        box.hand_in("after.hl7", later)
        assert box.visit("A-3001")["status"] == "booked"

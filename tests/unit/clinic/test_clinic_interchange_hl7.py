# SPDX-License-Identifier: Apache-2.0
"""HL7 v2 in files: what a message says, how old or careless it may be, and its acknowledgement."""

from __future__ import annotations

import datetime as dt
from typing import Any

import hl7
import pytest
from clinic_support import make_clinic_config

from gsmgw.clinic.interchange import hl7_acks, hl7_messages
from gsmgw.clinic.interchange.parsed import Parsed, Row, UnreadableFileError
from gsmgw.clinic.model import PatientRecord, VisitRecord, VisitStatus

SCH = "SCH|P-7|A-1|||||KONTROLA|NORMAL|20|min|^^20^20260305101500+0100^|||||9^Nowak|||||||||Booked"
PID = "PID|1||4711^^^LIPOWA^PI||Kowalska^Anna||19840512|F|||||^PRN^CP^^48^500^100211||pl"


def msh(
    event: str = "SIU^S12", control: str = "M1", version: str = "2.5", charset: str = ""
) -> str:
    return (
        f"MSH|^~\\&|GABINET|LIPOWA|GSMGW|LIPOWA|20260302081500||{event}|{control}|P|{version}"
        + (f"||||||{charset}" if charset else "")
    )


def parse(*segments: str, ends: str = "\r", encoding: str = "utf-8", **groups: Any) -> Parsed:
    content = (ends.join(segments) + ends).encode(encoding)
    return hl7_messages.parse(content, make_clinic_config(**groups))


def one(parsed: Parsed) -> Row:
    (row,) = parsed.rows
    return row


def visit(*segments: str, **options: Any) -> VisitRecord:
    row = one(parse(*segments, **options))
    assert isinstance(row.record, VisitRecord), row.error
    return row.record


def patient(pid: str) -> PatientRecord:
    record = one(parse(msh("ADT^A08"), pid)).record
    assert isinstance(record, PatientRecord)
    return record


@pytest.mark.parametrize("ends", ["\r", "\n", "\r\n", "\r\r\n"])
def test_a_booking_with_any_line_ends(ends: str) -> None:
    found = visit(
        msh(), SCH, PID, "PD1|||||||||||02", "AIS|1|A|KON^Konsultacja", "AIL|1|A|POR1^12",
        "AIP|1|A|33^Zielinski^Jan^^^dr", ends=ends,
    )  # fmt: skip
    assert found.start == dt.datetime(2026, 3, 5, 9, 15, tzinfo=dt.UTC)
    assert (found.id, found.minutes, found.status) == ("A-1", 20, VisitStatus.BOOKED)
    names = (found.practitioner, found.service, found.location)
    assert names == ("dr Jan Zielinski", "KON", "POR1")
    assert found.patient == PatientRecord(
        id="4711", given="Anna", family="Kowalska", phone="+48500100211", language="pl",
        birth_date="1984-05-12", gender="female", consent=True,
    )  # fmt: skip


def test_an_old_version_without_what_is_usual() -> None:
    found = visit(
        msh(version="2.3"),
        "SCH|1|2002||||OFFICE||OFFICE|30|m|^^30^202603051100",
        "PID|1||42||SMITH^PAUL||19781012|M|||||(22)555-12-34^PRN^PH~500 100 212^PRN^CP",
    )
    assert found.start is not None
    assert f"{found.start:%H:%M %z}" == "11:00 +0100"
    assert (found.id, found.patient.phone) == ("2002", "500 100 212")


def test_mllp_frames_and_batches() -> None:
    parsed = parse(
        "FHS|^~\\&|GABINET", "BHS|^~\\&|GABINET", f"\x0b{msh(control='M1')}", SCH, PID,
        "\x1c", msh(control="M2"), SCH.replace("A-1", "A-2"), PID, "BTS|2", "FTS|1",
    )  # fmt: skip
    assert [row.number for row in parsed.rows] == [1, 2]
    assert [row.record.id for row in parsed.rows if isinstance(row.record, VisitRecord)] == [
        "A-1",
        "A-2",
    ]


@pytest.mark.parametrize(
    ("event", "status", "cancelled_by"),
    [
        ("S12", "booked", ""),
        ("S13", "booked", ""),
        ("S14", "booked", ""),
        ("S15", "cancelled", ""),
        ("S16", "cancelled", "error"),
        ("S17", "entered-in-error", "error"),
        ("S26", "noshow", ""),
    ],
)
def test_events(event: str, status: str, cancelled_by: str) -> None:
    found = visit(msh(f"SIU^{event}^SIU_S12"), SCH, PID)
    assert (found.status, found.cancelled_by) == (VisitStatus(status), cancelled_by)


@pytest.mark.parametrize(
    ("reason", "by"), [("PACJENT^Rezygnacja", "patient"), ("LEKARZ^Nieobecnosc", ""), ("", "")]
)
def test_who_cancelled(reason: str, by: str) -> None:
    sch = SCH.replace("A-1|||||", f"A-1||||{reason}|")
    assert visit(msh("SIU^S15"), sch, PID).cancelled_by == by


def test_the_filler_status_outranks_the_event_of_a_booking() -> None:
    assert visit(msh(), SCH.replace("Booked", "Noshow"), PID).status == VisitStatus.NOSHOW


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        ("utf-8", "UNICODE UTF-8"),
        ("utf-8", ""),
        ("utf-8", "8859/1"),  # a lie: the octets are UTF-8 beyond doubt
        ("cp1250", "UNICODE UTF-8"),  # a lie
        ("cp1250", ""),
        ("cp1250", "WINDOWS-1250"),
        ("iso-8859-2", "8859/2"),
        ("cp1250", "KLINGON"),
        ("cp1250", "8859/99"),
    ],
)
def test_encodings(encoding: str, charset: str) -> None:
    pid = PID.replace("Kowalska^Anna", "Wiśniewska-Żak^Łucja")
    found = visit(msh(charset=charset), SCH, pid, encoding=encoding)
    assert (found.patient.given, found.patient.family) == ("Łucja", "Wiśniewska-Żak")


def test_a_configured_encoding_outranks_msh_18() -> None:
    imports = {"hl7": {"encoding": "cp1250"}}
    pid = PID.replace("Anna", "Łucja")
    found = visit(msh(charset="8859/1"), SCH, pid, encoding="cp1250", **{"import": imports})
    assert found.patient.given == "Łucja"


@pytest.mark.parametrize(
    ("field", "phone"),
    [
        (
            "^PRN^PH^^48^81^5551234~^PRN^CP^^48^500^100211~^NET^Internet^a@example.org",
            "+48500100211",
        ),
        ("815551234~500100211", "500100211"),
        ("^PRN^PH^^^^^^^^^+48500100211", "+48500100211"),
        ("^NET^Internet^a@example.org", None),
        ("", None),
        ('""', ""),
    ],
)
def test_phones(field: str, phone: str | None) -> None:
    assert patient(f"PID|1||4711||Kowalska^Anna||||||||{field}").phone == phone


@pytest.mark.parametrize(
    ("field", "number"),
    [("4711", "4711"), ("84051212345^^^PESEL~4711^^^LIPOWA^PI", "4711"), ("", "42")],
)
def test_numbers_of_patients(field: str, number: str) -> None:
    assert patient(f"PID|1|42|{field}||Kowalska^Anna").id == number


def test_what_is_emptied_or_wrong_is_left_out() -> None:
    found = patient('PID|1||4711||""^An\\F\\na\\.br\\||19840532|X|||||||klingon')
    expected = (None, None, None, None)
    assert (found.family, found.birth_date, found.gender, found.language) == expected
    assert found.given == "An|na"


def test_minutes_that_are_no_number_are_left_out() -> None:
    assert visit(msh(), SCH.replace("|20|min", "|²|min"), PID).minutes is None


def test_a_merge_names_the_number_that_ends() -> None:
    row = one(parse(msh("ADT^A40"), PID, "MRG|4710"))
    assert isinstance(row.record, PatientRecord)
    assert (row.record.id, row.record.merged_from) == ("4711", "4710")


@pytest.mark.parametrize(
    ("segments", "code", "why"),
    [
        ([msh("ORU^R01"), PID], "AR", "ORU^R01 is not taken"),
        ([msh("SIU^S18"), SCH, PID], "AR", "SIU^S18 is not taken"),
        ([msh(control=""), SCH, PID], "AR", "MSH-10 is empty"),
        ([msh(), SCH], "AE", "there is no PID"),
        ([msh(), "SCH|", PID], "AE", "SCH-2 and SCH-1 are empty"),
        (
            [msh(), SCH.replace("20260305101500+0100", "soon"), PID],
            "AE",
            "SCH-11: 'soon' is no time",
        ),
        ([msh(), SCH.replace("20260305101500+0100", ""), PID], "AE", "there is no start"),
        ([msh(), SCH.replace("20260305101500+0100", "20261305101500"), PID], "AE", "is no time"),
    ],
)
def test_refusals(segments: list[str], code: str, why: str) -> None:
    row = one(parse(*segments))
    assert row.record is None
    assert row.ack_code == code
    assert why in (row.error or "")
    assert row.ack_head


@pytest.mark.parametrize("content", [b"", b"hello\n", b"PID|1\r", b"\xff\xfe\x00", b"{}"])
def test_a_file_without_a_message(content: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        hl7_messages.parse(content, make_clinic_config())


def test_a_broken_message_leaves_the_others() -> None:
    parsed = parse("MSH", msh(control="M2"), SCH, PID, "MSH|", msh(control="M4"), SCH, PID)
    assert [row.record is not None for row in parsed.rows] == [False, True, False, True]
    assert all(row.ack_head for row in parsed.rows)


def test_once_only_is_by_sender_control_id_and_content() -> None:
    first, again, other, elsewhere = (
        one(parse(*segments)).identity
        for segments in (
            (msh(), SCH, PID),
            (msh(), SCH, PID),
            (msh(), SCH.replace("A-1", "A-2"), PID),
            (msh().replace("GABINET", "OTHER"), SCH, PID),
        )
    )
    assert first == again
    assert len({first, other, elsewhere}) == 3


# -- acknowledgements -----------------------------------------------------------------------------

AT = dt.datetime(2026, 3, 2, 8, 15, 1)  # noqa: DTZ001 - the clinic's clock


def test_an_acknowledgement() -> None:
    row = one(parse(msh("SIU^S12^SIU_S12", "M0001"), SCH, PID))
    assert hl7_acks.ack(row.ack_head, "AA", "", AT, "G0001-1") == (
        "MSH|^~\\&|GSMGW|LIPOWA|GABINET|LIPOWA|20260302081501||ACK^S12^ACK|G0001-1|P|2.5\r"
        "MSA|AA|M0001\r"
    )


def test_no_word_of_others_breaks_an_acknowledgement() -> None:
    row = one(parse(msh(control="A\\F\\B\\S\\C"), SCH))
    text = hl7_acks.ack(row.ack_head, "AE", "a|b^c\rMSA|AA~&\\", AT, "G1")
    parsed = hl7.parse(text)
    assert [str(segment[0]) for segment in parsed] == ["MSH", "MSA"]
    assert str(parsed.segment("MSA")[1]) == "AE"
    assert parsed.unescape(str(parsed.segment("MSA")[2])) == "A|B^C"


def test_the_extra_is_named_where_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "hl7", None)
    with pytest.raises(UnreadableFileError, match=r"gsmgw\[hl7\]"):
        parse(msh(), SCH, PID)

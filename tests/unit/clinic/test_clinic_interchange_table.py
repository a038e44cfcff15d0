# SPDX-License-Identifier: Apache-2.0
"""Tables of clinic programs: encodings, delimiters, dates, columns, and what is wrong in a row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from clinic_support import make_clinic_config

from gsmgw.clinic.interchange import table, words
from gsmgw.clinic.interchange.parsed import Parsed, UnreadableFileError
from gsmgw.clinic.model import PatientRecord, VisitRecord, VisitStatus

HEADER = "nr_wizyty;data;godzina;nr_pacjenta;imię;telefon"
ROW = "A-1;05.03.2026;10:15;4711;Anna;500 100 211"


def parse(
    text: str | bytes, name: str = "visits-1.csv", *, encoding: str = "utf-8", **groups: Any
) -> Parsed:
    content = text if isinstance(text, bytes) else text.encode(encoding)
    return table.parse(content, name, make_clinic_config(**groups))


def visits(parsed: Parsed) -> list[VisitRecord]:
    assert not [row.error for row in parsed.rows if row.error]
    return [row.record for row in parsed.rows if isinstance(row.record, VisitRecord)]


def starts(parsed: Parsed) -> list[str]:
    return [f"{visit.start:%Y-%m-%d %H:%M}" for visit in visits(parsed) if visit.start]


def refusal(text: str | bytes, name: str = "visits-1.csv", **groups: Any) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        parse(text, name, **groups)
    return str(caught.value)


def errors(parsed: Parsed) -> dict[int, str]:
    return {row.number: row.error for row in parsed.rows if row.error}


# -- encodings ------------------------------------------------------------------------------------

NAMES = {
    "PL": ("nr_wizyty;data;godzina;imię;nazwisko;telefon", "Łukasz;Żółć-Źdźbło"),
    "ES": ("id_cita;fecha;hora;nombre;apellidos;móvil", "José;Muñoz Ibáñez"),
    "RU": ("номер_приема;дата;время;имя;фамилия;телефон", "Пётр;Щукин"),
    "UA": ("номер_прийому;дата;час;імя;прізвище;телефон", "Їжак;Ґалаґан"),
    "DE": ("terminnummer;datum;uhrzeit;vorname;nachname;handy", "Jörg;Müßig-Äpfel"),
    "CZ": ("visit_id;date;time;first;last;phone", "Jiří;Dvořák-Žižka"),
}


@pytest.mark.parametrize(
    ("country", "encoding"),
    [
        *((country, encoding) for country in NAMES for encoding in ("utf-8", "utf-8-sig")),
        *((country, "utf-16") for country in NAMES),
        ("PL", "cp1250"),
        ("PL", "iso-8859-2"),
        ("CZ", "cp1250"),
        ("CZ", "iso-8859-2"),
        ("ES", "cp1252"),
        ("DE", "cp1252"),
        ("RU", "cp1251"),
        ("UA", "cp1251"),
    ],
)
def test_letters_of_each_country_in_each_encoding(country: str, encoding: str) -> None:
    header, person = NAMES[country]
    given, family = person.split(";")
    row = f"V-1;05.03.2026;10:15;{person};500100211\n"
    parsed = parse(f"{header}\n{row}", encoding=encoding, country=country)
    (visit,) = visits(parsed)
    assert (visit.patient.given, visit.patient.family) == (given, family)


def test_a_russian_table_in_poland() -> None:
    header, person = NAMES["RU"]
    parsed = parse(f"{header}\nV-1;05.03.2026;10:15;{person};500100211\n", encoding="cp1251")
    assert visits(parsed)[0].patient.given == "Пётр"
    assert parsed.remarks == ("read as cp1251",)


def test_the_configured_encoding_counts_but_a_mark_of_utf8_counts_more() -> None:
    imports = {"visits": {"encoding": "cp1250"}}
    text = f"{HEADER}\n{ROW.replace('Anna', 'Łucja')}\n"
    for encoding in ("cp1250", "utf-8-sig"):
        parsed = parse(text, encoding=encoding, **{"import": imports})
        assert visits(parsed)[0].patient.given == "Łucja"
        assert not parsed.remarks


def test_what_is_not_in_the_configured_encoding_is_refused_with_its_line() -> None:
    imports = {"visits": {"encoding": "utf-8"}}
    content = f"{HEADER}\n{ROW.replace('Anna', 'Łucja')}\n".encode("cp1250")
    words_ = refusal(content, **{"import": imports})
    assert "line 1" in words_
    assert "import.visits.encoding" in words_


@pytest.mark.parametrize("content", [b"PK\x03\x04\0\0", b"a;b\0;c\n", "x".encode("utf-16-le")])
def test_a_spreadsheet_is_refused_in_words(content: bytes) -> None:
    assert "save it as CSV" in refusal(content)


# -- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, ends: str) -> None:
    text = f"{HEADER}\n\n{ROW}\n{ROW.replace('A-1', 'A-2')}\n\n"
    parsed = parse(text.replace(";", delimiter).replace("\n", ends))
    assert [(row.number, row.record is not None) for row in parsed.rows] == [(2, True), (3, True)]


def test_the_line_of_excel_that_names_the_delimiter() -> None:
    assert len(visits(parse(f"sep=|\n{HEADER}\n{ROW}\n".replace(";", "|")))) == 1


def test_quoted_cells_with_delimiters_newlines_and_quotes() -> None:
    parsed = parse(
        f'{HEADER};lekarz\nA-1;05.03.2026;10:15;4711;"An;na\nMa""ria""";500100211;x\n'
        f"{ROW.replace('A-1', 'A-2')};y\n"
    )
    first, second = visits(parsed)
    assert first.patient.given == 'An;na Ma"ria"'
    assert (second.id, second.practitioner) == ("A-2", "y")
    assert [row.number for row in parsed.rows] == [1, 2]


@pytest.mark.parametrize("stray", ['"Anna', '"Anna "Ania"', '"Anna"Ania"'])
def test_a_stray_quotation_mark_swallows_no_other_row(stray: str) -> None:
    rows = [ROW.replace("A-1", f"A-{number}") for number in range(1, 6)]
    rows[1] = rows[1].replace("Anna", stray)
    rows[3] = rows[3].replace("Anna", stray)
    parsed = parse("\n".join([HEADER, *rows]) + "\n")
    assert {row.record.id for row in parsed.rows if isinstance(row.record, VisitRecord)} >= {
        "A-1",
        "A-3",
        "A-5",
    }
    assert len(parsed.rows) == 5
    assert all("quotation mark" in why for why in errors(parsed).values())


def test_empty_lines_and_a_sum_at_the_end() -> None:
    parsed = parse(f"\n;;;\n{HEADER}\n{ROW}\n;;;;;\n\n  \nRazem: 1;;;;;\n")
    assert len(visits(parsed)) == 1
    assert len(parsed.rows) == 1


def test_control_characters_and_marks_of_direction_are_left_out() -> None:
    row = ROW.replace("Anna", "\u202eAn\x1bna\x07\u200b")
    (visit,) = visits(parse(f"{HEADER}\n{row}\n"))
    assert visit.patient.given == "Anna"


def test_one_bad_row_never_stops_the_others() -> None:
    bad = [
        ROW.replace("05.03.2026", "31.02.2026"),
        ROW.replace("10:15", "25:15"),
        ROW.replace("05.03.2026", ""),
        ROW.replace("A-1", ""),
        f"{ROW};more",
        ROW.replace("Anna", "A" * 1001),
        ROW.replace("Anna", "A" * 300_000),
    ]
    parsed = parse("\n".join([HEADER, *bad, ROW.replace("A-1", "A-9")]))
    found = errors(parsed)
    assert sorted(found) == [1, 2, 3, 4, 5, 6, 7]
    assert found[1] == "data: '31.02.2026' is no date of the form %d.%m.%Y"
    assert found[2] == "godzina: '25:15' is no time; write it as 09:30"
    assert found[3] == "the date is empty"
    assert found[4].startswith("nr_wizyty: empty")
    assert found[5].startswith("7 cells, but the header has 6")
    assert [row.record is not None for row in parsed.rows][-1]


def test_the_same_visit_twice_is_said() -> None:
    parsed = parse(f"{HEADER}\n{ROW}\n{ROW}\n")
    assert [row.warnings for row in parsed.rows] == [(), ("again",)]


# -- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    """05.03.2026 2026-03-05 05/03/2026 05-03-2026 2026/03/05 2026.03.05 05.03.26 05/03/26 20260305
    5.3.2026 13/03/2026""".split(),  # noqa: SIM905 - easier to read
)
def test_forms_of_dates(written: str) -> None:
    parsed = parse(f"{HEADER}\n{ROW.replace('05.03.2026', written)}\n")
    assert starts(parsed)[0][:8] == "2026-03-"
    assert parsed.days == {visits(parsed)[0].start.date()}  # type: ignore[union-attr]


@pytest.mark.parametrize("year", ["2026", "26"])
@pytest.mark.parametrize(("country", "month"), [("PL", 3), ("ES", 3), ("US", 5)])
def test_an_ambiguous_date_is_read_as_the_country_does_and_said(
    country: str, month: int, year: str
) -> None:
    parsed = parse(f"{HEADER}\n{ROW.replace('05.03.2026', f'05/03/{year}')}\n", country=country)
    assert starts(parsed)[0][:7] == f"2026-{month:02d}"
    assert "import.visits.dates" in parsed.remarks[0]


def test_one_clear_date_decides_for_the_whole_file() -> None:
    rows = [ROW.replace("05.03.2026", day) for day in ("05/03/2026", "06/04/2026", "03/25/2026")]
    parsed = parse("\n".join([HEADER, *rows]), country="PL")
    assert [start[:10] for start in starts(parsed)] == ["2026-05-03", "2026-06-04", "2026-03-25"]
    assert not parsed.remarks


def test_day_and_month_are_never_mixed_in_a_file() -> None:
    rows = [ROW.replace("05.03.2026", day) for day in ("25/03/2026", "26/03/2026", "03/27/2026")]
    parsed = parse("\n".join([HEADER, *rows]))
    assert list(errors(parsed)) == [3]


def test_configured_dates_are_not_guessed() -> None:
    imports = {"visits": {"dates": ["%m/%d/%Y"]}}
    parsed = parse(f"{HEADER}\n{ROW.replace('05.03.2026', '03/05/2026')}\n", **{"import": imports})
    assert starts(parsed) == ["2026-03-05 10:15"]
    assert not parsed.remarks


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9:05", "09:05"),
        ("09.05", "09:05"),
        ("9h05", "09:05"),
        ("09:05:00", "09:05"),
        ("2:15 PM", "14:15"),
        ("12:15 a.m.", "00:15"),
        ("8 am", "08:00"),
    ],
)
def test_forms_of_times(written: str, read: str) -> None:
    assert starts(parse(f"{HEADER}\n{ROW.replace('10:15', written)}\n"))[0][11:] == read


@pytest.mark.parametrize("written", ["9", "24:00", "9:60", "13:00 pm", "noon", "٩:٣٠", "9:5"])
def test_what_is_no_time(written: str) -> None:
    assert "is no time" in errors(parse(f"{HEADER}\n{ROW.replace('10:15', written)}\n"))[1]


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("termin", "05.03.2026 10:15"),
        ("termin", "05.03.2026, 10:15"),
        ("termin", "2026-03-05T10:15:00+01:00"),
        ("termin", "2026-03-05T10:15"),
        ("fecha_hora", "05/03/2026 10:15"),
        ("дата", "05.03.2026 10:15"),
        ("termin;godzina", "05.03.2026;10:15"),
        ("data;start", "05.03.2026;10:15"),
        ("data;start", "05.03.2026;05.03.2026 10:15"),
        ("Datum;Uhrzeit", "2026-03-05 00:00:00;10:15"),
        ("Data;Hora", "05/03/2026;10h15"),
    ],
)
def test_words_for_a_start(columns: str, cells: str) -> None:
    parsed = parse(f"nr_wizyty;{columns};telefon\nA-1;{cells};500100211\n")
    assert starts(parsed) == ["2026-03-05 10:15"]


# -- columns --------------------------------------------------------------------------------------

HEADERS = {
    "pl": "Nr wizyty;Data wizyty;Godzina;Lekarz;Nr pacjenta;Imię;Nazwisko;Telefon;Zgoda SMS",
    "es": "Id cita;Fecha;Hora;Médico;Nº historia;Nombre;Apellidos;Móvil;Acepta SMS",
    "ru": "Номер приёма;Дата приёма;Время;Врач;Номер карты;Имя;Фамилия;Телефон;Согласие",
    "uk": "Номер прийому;Дата прийому;Час;Лікар;Номер пацієнта;Ім'я;Прізвище;Телефон;Згода",
    "de": "Terminnummer;Datum;Uhrzeit;Arzt;Patientennummer;Vorname;Nachname;Handy;Einwilligung",
    "en": "Appointment ID;Date;Time;Doctor;Patient No;First name;Last name;Mobile;SMS consent",
}


@pytest.mark.parametrize("language", HEADERS)
def test_headers_of_six_languages(language: str) -> None:
    row = "A-1;05.03.2026;10:15;dr X;4711;Anna;Kowalska;500100211;1"
    (visit,) = visits(parse(f"{HEADERS[language]}\n{row}\n", "tabelle.csv"))
    assert visit.id == "A-1"
    assert visit.practitioner == "dr X"
    expected = ("4711", "Anna", "Kowalska", "500100211", True)
    person = visit.patient
    assert (person.id, person.given, person.family, person.phone, person.consent) == expected


@pytest.mark.parametrize("word", ["id", "nr", "No.", "№", "numer"])
def test_a_number_that_may_be_the_patients_is_no_visits(word: str) -> None:
    text = f"{word};data;godzina;imię;telefon\n4711;05.03.2026;10:15;Anna;500100211\n"
    why = refusal(text)
    assert "appointment" in why
    assert f"{word!r} may also number patients or rows" in why
    assert "import.visits.columns" in why


@pytest.mark.parametrize("word", ["id", "№"])
def test_beside_the_patients_own_number_it_is_the_visits(word: str) -> None:
    text = f"{word};fecha;hora;paciente;nombre;telefono\n88;05/03/2026;9:30;51;José;500100211\n"
    (visit,) = visits(parse(text, country="ES"))
    assert (visit.id, visit.patient.id, visit.patient.given) == ("88", "51", "José")


@pytest.mark.parametrize("word", ["nr", "№", "lp", "id"])
def test_numbers_that_count_the_rows_are_nobodys(word: str) -> None:
    rows = "".join(f"{n}.;05.03.2026;10:1{n};471{n};500100211\n" for n in range(1, 4))
    assert "appointment" in refusal(f"{word};data;godzina;nr_pacjenta;telefon\n{rows}")


@pytest.mark.parametrize("word", ["pacjent", "Paciente", "Пациент", "patient"])
def test_a_whole_name_is_no_patients_number(word: str) -> None:
    text = f"nr_wizyty;data;godzina;{word};telefon\nA-1;05.03.2026;10:15;Kowalska Anna;500100211\n"
    (visit,) = visits(parse(text))
    assert (visit.patient.id, visit.patient.given) == (None, None)
    assert visit.patient.family == "Kowalska Anna"


@pytest.mark.parametrize(
    ("column", "cell", "given", "family"),
    [
        ("imię i nazwisko", "Anna Maria Kowalska", "Anna", "Maria Kowalska"),
        ("nazwisko i imię", "Kowalska Anna", "Anna", "Kowalska"),
        ("ФИО", "Ковальская Анна Петровна", "Анна", "Ковальская"),
        ("Apellidos y nombre", "García Ruiz, Lucía", "Lucía", "García Ruiz"),
        ("nombre", "Lucía García Ruiz", "Lucía", "García Ruiz"),
        ("nombre;apellidos", "María José;García Ruiz", "María José", "García Ruiz"),
        ("name", "Anna", "Anna", None),
    ],
)
def test_whole_names(column: str, cell: str, given: str, family: str | None) -> None:
    text = f"nr_wizyty;data;godzina;{column};telefon\nA-1;05.03.2026;10:15;{cell};500100211\n"
    person = visits(parse(text))[0].patient
    assert (person.given, person.family) == (given, family)


def test_the_mobile_phone_goes_before_the_other() -> None:
    text = "nr_wizyty;data;godzina;telefon;komórka\nA-1;05.03.2026;10:15;815551234;500100211\n"
    assert visits(parse(text))[0].patient.phone == "500100211"


def test_a_configured_column_that_is_not_there_is_named_with_those_that_are() -> None:
    imports = {"visits": {"columns": {"appointment": "numer"}}}
    why = refusal(f"{HEADER}\n{ROW}\n", **{"import": imports})
    assert "there is no column 'numer', which import.visits.columns says is appointment" in why
    assert "nr_wizyty, data, godzina" in why


def test_missing_columns_are_all_named() -> None:
    why = refusal("imię;kolor\nAnna;zielony\n")
    assert "appointment" in why
    assert "date and time, or start" in why
    assert "phone" in why
    assert "The columns are imię, kolor" in why


@pytest.mark.parametrize("text", ["", "\n\n", " ; ; \n", "\ufeff"])
def test_an_empty_file(text: str) -> None:
    assert "empty" in refusal(text)


def test_only_a_header_has_no_rows() -> None:
    assert parse(f"{HEADER}\n").rows == ()


# -- patients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["patients.csv", "export.csv"])
def test_patients(name: str) -> None:
    imports = {"visits": {"columns": {"appointment": "nr_wizyty", "date": "data"}}}
    text = (
        "nr_pacjenta;imię;nazwisko;telefon;data_urodzenia;płeć;język;aktywny;zgoda\n"
        "4711;Anna;Kowalska;500100211;12.05.1984;K;polski;tak;N\n"
        "4712;Ivan;;;1984-13-45;?;klingon;nie;\n"
    )
    parsed = parse(text, name, **{"import": imports})
    first, second = (row.record for row in parsed.rows)
    assert parsed.kind == "patients"
    assert first == PatientRecord(
        id="4711", given="Anna", family="Kowalska", phone="500100211", language="pl",
        birth_date="1984-05-12", gender="female", consent=False, active=True,
    )  # fmt: skip
    assert isinstance(second, PatientRecord)
    assert (second.phone, second.birth_date, second.gender, second.language) == ("", *[None] * 3)
    assert second.active is False


@pytest.mark.parametrize("name", ["slots-1.csv", "send.csv", "calls_2.csv"])
def test_tables_of_other_kinds_are_refused_with_what_to_do(name: str) -> None:
    assert name in refusal(f"{HEADER}\n{ROW}\n", name)


# -- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("Odwołana", "cancelled"),
        ("cancelled", "cancelled"),
        ("Anulada", "cancelled"),
        ("Отменён", "cancelled"),
        ("Скасовано", "cancelled"),
        ("abgesagt", "cancelled"),
        ("nieobecny", "noshow"),
        ("No-show", "noshow"),
        ("No asistió", "noshow"),
        ("Zrealizowana", "fulfilled"),
        ("zarezerwowana", "booked"),
    ],
)
def test_words_for_statuses(written: str, status: str) -> None:
    (visit,) = visits(parse(f"{HEADER};status\n{ROW};{written}\n"))
    assert visit.status == VisitStatus(status)


def test_an_unknown_status_refuses_its_row() -> None:
    assert "'da' is unknown" in errors(parse(f"{HEADER};status\n{ROW};da\n"))[1]


def test_a_cancellation_needs_no_date() -> None:
    row = ROW.replace("05.03.2026;10:15", ";")
    assert visits(parse(f"{HEADER};status\n{row};odwołana\n"))[0].start is None


@pytest.mark.parametrize(
    ("written", "consent"),
    [
        *((word, True) for word in ("T", "tak", "Yes", "sí", "да", "Ja", "1", "+", "X", "так")),
        *((word, False) for word in ("N", "nie", "No", "нет", "Nein", "0", "-", "ні")),
        ("", None),
    ],
)
def test_words_for_consent(written: str, *, consent: bool | None) -> None:
    assert visits(parse(f"{HEADER};zgoda\n{ROW};{written}\n"))[0].patient.consent is consent


def test_unknown_consent_refuses_its_row() -> None:
    assert "neither yes nor no" in errors(parse(f"{HEADER};zgoda\n{ROW};może\n"))[1]


def test_no_word_names_two_columns() -> None:
    known = words.load()
    everywhere = [
        *(name for names in known.columns.values() for name in names),
        *known.own_numbers,
        *known.patients,
        *known.names,
    ]
    assert sorted({name for name in everywhere if everywhere.count(name) > 1}) == []


def test_words_are_compared_without_marks_case_and_signs() -> None:
    assert words.key("Дата приёма") == "дата_приема"
    assert words.key("Nr wizyty:") == words.key("NR-WIZYTY") == "nr_wizyty"
    assert words.key("Straße №") == "strasse_№"
    assert words.key("Łódź") == "lodz"


@pytest.mark.parametrize("size", [1000, 10_000])
def test_minutes_and_order_of_rows(size: int) -> None:
    rows = [f"A-{number};05.03.2026;10:15;P;Anna;500100211" for number in range(size)]
    parsed = parse("\n".join([HEADER, *rows]))
    assert [row.number for row in parsed.rows] == list(range(1, size + 1))
    assert dt.date(2026, 3, 5) in parsed.days

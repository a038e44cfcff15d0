# SPDX-License-Identifier: Apache-2.0
"""Tables as clinic programs export them: their words for columns, dates with words around them."""

from __future__ import annotations

from typing import Any

import pytest
from clinic_support import make_clinic_config

from gsmgw.clinic.interchange import table
from gsmgw.clinic.model import VisitRecord, VisitStatus

HEADER = "nr_wizyty;data;godzina;nr_pacjenta;imię;telefon"
ROW = "A-1;05.03.2026;10:15;4711;Anna;500100211"


def first_visit(text: str | bytes, **groups: Any) -> VisitRecord:
    content = text if isinstance(text, bytes) else text.encode()
    (row, *_) = table.parse(content, "export.csv", make_clinic_config(**groups)).rows
    assert isinstance(row.record, VisitRecord), row.error
    return row.record


@pytest.mark.parametrize(
    "header",
    [
        "ID wizyty;Data wizyty;Godzina wizyty;Nr kartoteki;Imię;Tel. kom.",
        "Nº de cita;Fecha de la cita;Hora de inicio;Código de paciente;Nombre;Teléfono móvil",
        "ID визита;Дата визита;Время начала;№ карты;Имя;Сотовый телефон",
        "№ визита;Дата записи;Время записи;ID пациента;Имя;Тел.",
        "Номер візиту;Дата візиту;Час візиту;№ картки;Ім'я;Мобільний",
        "Booking ID;Visit date;Start time;Client ID;FirstName;Contact number",
        "Termin-Nr.;Termindatum;Startzeit;Pat.-Nr.;Vorname;Handynummer",
    ],
)
def test_words_of_many_programs_for_the_same_columns(header: str) -> None:
    visit = first_visit(f"{header}\n{ROW}\n")
    assert (visit.id, f"{visit.start:%Y-%m-%d %H:%M}") == ("A-1", "2026-03-05 10:15")
    patient = visit.patient
    assert (patient.id, patient.given, patient.phone) == ("4711", "Anna", "500100211")


@pytest.mark.parametrize(
    "column",
    [
        "Zgoda pacjenta na SMS",
        "Consentimiento SMS",
        "Согласие на SMS",
        "Zgoda SMS/e-mail",
        "Consent to SMS reminders",
        "Einwilligung SMS",
    ],
)
def test_who_said_no_is_known_whatever_the_column_is_called(column: str) -> None:
    text = f"{HEADER};{column}\n{ROW};N\nA-2{ROW[3:]};1\n"
    assert first_visit(text).patient.consent is False


@pytest.mark.parametrize("column", ["Zgoda na zabieg", "Zgoda marketingowa", "RODO", "SMS wysłany"])
def test_a_consent_to_something_else_is_none_to_reminders(column: str) -> None:
    assert first_visit(f"{HEADER};{column}\n{ROW};N\n").patient.consent is None


@pytest.mark.parametrize(
    "column", ["Status wizyty", "Stan rezerwacji", "Estado de la cita", "Статус визита"]
)
def test_a_cancelled_visit_is_known_whatever_the_column_is_called(column: str) -> None:
    visit = first_visit(f"{HEADER};{column}\n{ROW};odwołana\nA-2{ROW[3:]};\n")
    assert visit.status is VisitStatus.CANCELLED


def test_the_state_of_something_else_refuses_no_row() -> None:
    assert first_visit(f"{HEADER};Status płatności\n{ROW};opłacone\n").status is None


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("czw. 05.03.2026", "10:15"),
        ("czwartek, 05.03.2026", "godz. 10:15"),
        ("05.03.2026 r.", "10.15"),
        ("05.03.2026 \u0433.", "10:15 ч."),
        ("Do 05.03.2026", "10:15 Uhr"),
        ("Thu 05.03.2026", "10:15 - 10:35"),
        ("05.03.2026", "10:15\u201310:35"),
        ("05.03.2026", "10:15 h"),
    ],
)
def test_words_around_dates_and_times(date: str, time: str) -> None:
    visit = first_visit(f"{HEADER}\nA-1;{date};{time};4711;Anna;500100211\n")
    assert f"{visit.start:%Y-%m-%d %H:%M}" == "2026-03-05 10:15"


@pytest.mark.parametrize(
    "written",
    ["czw. 05.03.2026 10:15", "05.03.2026 10.15", "05.03.2026 r. 10:15", "5.3.2026 10h15"],
)
@pytest.mark.parametrize("column", ["termin", "data"])
def test_date_and_time_in_one_cell(column: str, written: str) -> None:
    visit = first_visit(f"nr_wizyty;{column};telefon\nA-1;{written};500100211\n")
    assert f"{visit.start:%Y-%m-%d %H:%M}" == "2026-03-05 10:15"


def test_a_configured_form_may_name_the_day_of_the_week() -> None:
    imports = {"visits": {"dates": ["%a %d.%m.%Y"]}}
    text = f"{HEADER}\n{ROW.replace('05.03.2026', 'Thu 05.03.2026')}\n"
    visit = first_visit(text, **{"import": imports})
    assert f"{visit.start:%Y-%m-%d %H:%M}" == "2026-03-05 10:15"


def test_a_spanish_table_in_poland_keeps_its_letters() -> None:
    text = (
        "id;fecha;hora;profesional;paciente;nombre;telefono\r\n"
        "88;15/03/2026;9:30;Dra. Muñoz;51;Iñaki;612 345 678\r\n"
    )
    visit = first_visit(text.encode("cp1252"), country="PL")
    assert (visit.practitioner, visit.patient.given) == ("Dra. Muñoz", "Iñaki")


def test_a_polish_table_in_spain_keeps_its_letters() -> None:
    text = f"{HEADER};lekarz\n{ROW.replace('Anna', 'Łucja')};dr Źdźbło\n"
    visit = first_visit(text.encode("cp1250"), country="ES", timezone="Europe/Madrid")
    assert (visit.practitioner, visit.patient.given) == ("dr Źdźbło", "Łucja")

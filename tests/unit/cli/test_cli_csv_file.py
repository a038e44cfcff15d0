# SPDX-License-Identifier: Apache-2.0
"""CSV files as spreadsheets of many countries write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsmgw.cli.messages import csv_file
from gsmgw.errors import BadFileError


def read(path: Path, octets: bytes, country: str = "PL", encoding: str | None = None):
    file = path / "list.csv"
    file.write_bytes(octets)
    return csv_file.read(file, country=country, encoding=encoding, source="cli")


def texts(table: csv_file.Table) -> list[str]:
    return [row.draft.text for row in table.rows if row.draft is not None]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_guessed(tmp_path: Path, delimiter: str) -> None:
    line = delimiter.join
    octets = f"{line(['recipient', 'text'])}\r\n{line(['+48500100201', 'Hi'])}\r\n".encode()
    table = read(tmp_path, octets)
    assert table.delimiter == delimiter
    assert texts(table) == ["Hi"]


@pytest.mark.parametrize(
    ("country", "encoding", "text"),
    [
        ("PL", "cp1250", "Zażółć"),
        ("UA", "cp1251", "Привіт"),
        ("DE", "cp1252", "Größe"),
        ("GR", "cp1253", "Ώρα"),
        ("TR", "cp1254", "İğne"),
        ("LT", "cp1257", "Ąžuolas"),
    ],
)
def test_a_legacy_file_is_read_by_country(
    tmp_path: Path, country: str, encoding: str, text: str
) -> None:
    table = read(tmp_path, f"recipient;text\n+48500100201;{text}\n".encode(encoding), country)
    assert (table.encoding, texts(table)) == (encoding, [text])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_are_recognised(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, "recipient,text\n+48500100201,Zażółć 👍\n".encode(encoding))
    assert texts(table) == ["Zażółć 👍"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_what_a_database_exports_without_a_mark_is_recognised(
    tmp_path: Path, encoding: str
) -> None:
    table = read(tmp_path, "recipient,text\r\n+48500100201,Zażółć\r\n".encode(encoding))
    assert (table.encoding, texts(table)) == (encoding, ["Zażółć"])


@pytest.mark.parametrize(
    "octets",
    [
        b"recipient,text\n500100201,Za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\n500100202,\xbfuk\n",
        b"recipient,text\n500100201,Za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\n500100202,Za\xc5",
    ],
)
def test_a_few_wrong_octets_do_not_spoil_the_letters_of_all(tmp_path: Path, octets: bytes) -> None:
    with pytest.raises(BadFileError, match="line 3: a letter there is not UTF-8"):
        read(tmp_path, octets)
    assert len(read(tmp_path, octets, encoding="cp1250").rows) == 2


@pytest.mark.parametrize("octets", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_spreadsheets_own_file_is_called_so(tmp_path: Path, octets: bytes) -> None:
    with pytest.raises(BadFileError, match="is a spreadsheet, not CSV; save it"):
        read(tmp_path, octets + bytes(range(256)))


@pytest.mark.parametrize(
    "above",
    ["sep=;\r\n", "SEP=;\r\n", '"sep=;"\r\n', "sep=;;\r\n", "\r\n;\r\n", "\r\nsep=;\r\n"],
)
def test_what_programs_write_above_the_header_is_no_header(tmp_path: Path, above: str) -> None:
    octets = f"{above}recipient;text\r\n500100201;a, b\r\n500100202\r\n".encode()
    table = read(tmp_path, octets)
    assert (table.delimiter, texts(table)) == (";", ["a, b"])
    assert [row.line for row in table.rows] == [above.count("\n") + 2, above.count("\n") + 3]
    wrong = f"{above}recipient;txt\r\n".encode()
    with pytest.raises(BadFileError, match=f"line {above.count(chr(10)) + 1}: column 'txt'"):
        read(tmp_path, wrong)


@pytest.mark.parametrize(
    "cell", ["'+48500100201", '"=""+48500100201"""', "'500100201", " +48500100201 "]
)
def test_a_number_guarded_from_spreadsheets_is_a_number(tmp_path: Path, cell: str) -> None:
    (row,) = read(tmp_path, f"recipient,text\n{cell},Hi\n".encode()).rows
    assert row.draft is not None
    assert row.draft.recipient.removeprefix("+48") == "500100201"


def test_blanks_behind_delimiters_are_no_part_of_a_text(tmp_path: Path) -> None:
    octets = b'recipient, text\n500100201, "hello, you"\n500100202, hi\n\x1a'
    assert texts(read(tmp_path, octets)) == ["hello, you", "hi"]


def test_the_named_encoding_counts(tmp_path: Path) -> None:
    octets = "recipient,text\n+48500100201,Größe\n".encode("cp1252")
    assert texts(read(tmp_path, octets, encoding="cp1252")) == ["Größe"]
    with pytest.raises(BadFileError, match="'klingon' does not exist"):
        read(tmp_path, octets, encoding="klingon")
    with pytest.raises(BadFileError, match="is not ascii"):
        read(tmp_path, octets, encoding="ascii")


def test_all_columns_reach_the_draft(tmp_path: Path) -> None:
    header = ",".join(csv_file.COLUMNS)
    row = "500100201,Hi,r1,lab,survey,urgent,2026-11-22 08:30,2026-11-23,YES,1,front"
    (found,) = read(tmp_path, f"{header}\n{row}\n".encode()).rows
    draft = found.draft
    assert draft is not None
    assert (draft.recipient, draft.text, draft.reference, draft.source) == (
        "500100201",
        "Hi",
        "r1",
        "lab",
    )
    assert (draft.category, draft.priority, draft.modem) == ("survey", "urgent", "front")
    assert (draft.not_before, draft.expires_at) == ("2026-11-22 08:30", "2026-11-23")
    assert draft.report_requested
    assert draft.flash


def test_what_is_empty_is_left_to_the_options(tmp_path: Path) -> None:
    octets = b"Recipient, Text ,reference,source,flash\n500100201,Hi,,,\n,,,,\n\n"
    (found,) = read(tmp_path, octets).rows
    assert found.draft is not None
    assert found.draft.reference is None
    assert found.draft.source == "cli"
    assert not found.draft.flash


def test_quoted_texts_may_hold_everything(tmp_path: Path) -> None:
    octets = b'recipient,text\n500100201,"a, ""b""\r\nc"\n500100202,d\n'
    table = read(tmp_path, octets)
    assert texts(table) == ['a, "b"\r\nc', "d"]
    assert [(row.line, row.last_line) for row in table.rows] == [(2, 3), (4, 4)]


def test_faults_of_rows_name_their_line_and_spare_the_others(tmp_path: Path) -> None:
    octets = (
        b"recipient,text,flash\n"
        b"500100201,good,no\n"
        b"500100202,a, comma,no\n"
        b"500100203\n"
        b"500100204,bad flash,maybe\n"
        b'500100205,"bad" quote,no\n'
        b"500100206,good too,\n"
    )
    rows = read(tmp_path, octets).rows
    assert [row.line for row in rows if row.error] == [3, 4, 5, 6]
    assert [row.draft.text for row in rows if row.draft] == ["good", "good too"]
    assert "4 columns, the header has 3" in (rows[1].error or "")
    assert "1 columns, the header has 3" in (rows[2].error or "")
    assert "allowed: yes, no" in (rows[3].error or "")


def test_a_quote_that_is_never_closed_says_where_it_began(tmp_path: Path) -> None:
    octets = b'recipient,text\n500100201,ok\n500100202,"open\n500100203,c\n'
    rows = read(tmp_path, octets).rows
    assert rows[0].draft is not None
    assert (rows[1].line, rows[1].last_line) == (3, 4)
    assert "not readable as CSV" in (rows[1].error or "")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "is empty"),
        (b"500100201,Hi\n", "first line must name the columns"),
        (b"recipient,txt\n", "'txt' is unknown, do you mean text"),
        (b"recipient,text,colour\n", "'colour' is unknown; allowed: recipient"),
        (b"recipient,reference\n", "column text is missing"),
        (b"recipient,text,text\n", "line 1: column 'text' stands there twice; allowed"),
        (b'recipient,"text\n', "line 1"),
        (b"recipient,,text\n", "column 2 has no name"),
        (b"\r\n\r\n", "is empty"),
    ],
)
def test_a_wrong_header_is_refused_with_what_is_allowed(
    tmp_path: Path, octets: bytes, words: str
) -> None:
    with pytest.raises(BadFileError, match=words):
        read(tmp_path, octets)


def test_a_file_beyond_all_measure_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "LONGEST_FILE", 10)
    with pytest.raises(BadFileError, match="larger than"):
        read(tmp_path, b"recipient,text\n")

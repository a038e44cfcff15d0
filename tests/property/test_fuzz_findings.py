# SPDX-License-Identifier: Apache-2.0
"""What fuzzing has found, each by its symptom."""

from __future__ import annotations

import json
from pathlib import Path

import fuzz_support
import pytest

from gsmgw import errors, logs, phone
from gsmgw.at import fields, network, replies, sorting, storage
from gsmgw.cli.messages import csv_file
from gsmgw.config import loading, reading
from gsmgw.spool.formats import json_format, smstools

MANY = "9" * 16_000


def test_a_line_of_thousands_of_digits_does_not_end_the_modems_thread() -> None:
    assert fields.number(MANY) is None
    assert fields.hexadecimal(MANY) is None
    assert storage.parse_reference(f"+CMGS: {MANY}") is None
    assert storage.parse_notice(f'+CMTI: "SM",{MANY}') is None
    assert network.parse_service_text(f'+CUSD: {MANY},"x",15') is None
    final = replies.parse_final(f"+CMS ERROR: {MANY}")
    assert final is not None
    assert final.code is None


def test_an_index_that_no_database_holds_is_no_index() -> None:
    assert storage.parse_list([f"+CMGL: {2**63},1,,2", "0011AB"]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('+CUSD: 0,"Balance: 5,20 PLN",15', ("Balance: 5,20 PLN", 15)),
        ('+CUSD: 0,"Balance: 5,20"', ("Balance: 5,20", None)),
        ('+CUSD: 0, "a" , 72 ', ("a", 72)),
        ('+CUSD: 0,"a",', ("a", None)),
        ('+CUSD: 0,"a "b", c",15', ('a "b", c', 15)),
        ('+CUSD: 0,"two\nlines",15', ("two\nlines", 15)),
        ("+CUSD: 0,plain", ("plain", None)),
        ('+CUSD: 0,"open', ("open", None)),
        ("+CUSD: 2", (None, None)),
        ('+CUSD: 2,"",15', (None, 15)),
    ],
)
def test_service_text_is_what_stands_between_its_two_ends(
    text: str, found: tuple[str | None, int | None]
) -> None:
    answer = network.parse_service_text(text)
    assert answer is not None
    assert (answer.text, answer.dcs) == found


def test_an_answer_without_end_is_cut() -> None:
    waiting = sorting.Expectation(("+CMGL:",))
    sorter = sorting.Sorter()
    for _ in range(2 * sorting.LONGEST_ANSWER // 1000):
        sorter.take("+CMGL: " + "x" * 1000, waiting)
    assert sum(map(len, waiting.lines)) <= sorting.LONGEST_ANSWER
    sorter.take("OK", waiting)
    assert waiting.final is not None


@pytest.mark.parametrize("run", [" 'x", ' "x', "'", "\\", "\\'", "1 2/"])
def test_quotes_without_end_do_not_stall_the_log(run: str) -> None:
    # With the square of the length it takes an hour; the suite allows minutes.
    assert logs.masked(run * 100_000)


@pytest.mark.parametrize(
    "words",
    [
        r'found "a\" Kowalska"; allowed: x',
        r"found 'a\' Kowalska'; allowed: x",
        r"found 'Kowalska\\'; allowed: x",
        "\"it's Kowalska's\"",
    ],
)
def test_a_quote_within_a_quote_does_not_uncover_the_rest(words: str) -> None:
    assert "Kowalska" not in logs.masked(words)


def test_a_finding_cut_short_stays_in_quotes() -> None:
    document = {"recipient": "+48500100201", "text": "x", "priority": "Kowalska " * 20}
    (element,) = json_format.parse(json.dumps(document).encode(), source="s", spool_file="X")
    assert "Kowalska" in (element.error or "")
    assert "Kowalska" not in logs.masked(element.error)


def test_half_a_character_in_a_reference_is_the_clients_mistake_not_ours() -> None:
    document = '[{"recipient": "\\ud800", "reference": "\\udfff", "text": "x"}]'
    (element,) = json_format.parse(document.encode(), source="s", spool_file="X")
    assert (element.recipient, element.reference) == (None, None)
    assert "half characters" in (element.error or "")


def test_ninety_thousand_unknown_keys_are_refused_in_few_words() -> None:
    document = json.dumps([dict.fromkeys(map(str, range(90_000)), 1)])
    (element,) = json_format.parse(document.encode(), source="s", spool_file="X")
    assert len(element.error or "") < fuzz_support.LONGEST_WORDS


@pytest.mark.parametrize("begins", ["9999-12-31 23:59", "0001-01-01T00:00:00+23:00"])
def test_validity_at_the_end_of_all_days_is_not_a_fault_of_ours(begins: str) -> None:
    content = f"To: 48500100201\nNot_before: {begins}\nValidity: 255\n\nhello"
    draft = smstools.parse(content.encode(), fuzz_support.AROUND).draft
    assert draft.not_before == begins
    assert draft.expires_at is None


@pytest.mark.parametrize(
    "text",
    [
        "database: {path: ~nobody-of-this-name/gsmgw.db}",
        'database: {path: "/tmp/\\ud800"}',
        'spool: {group: "\\ud800"}',
        'hooks: {event: ["/usr/bin/\\udfff"]}',
    ],
)
def test_a_path_that_cannot_be_is_a_mistake_in_the_configuration(text: str) -> None:
    with pytest.raises(errors.ConfigError, match="allowed is"):
        loading.check_document(reading.read_yaml(text))


def test_a_file_that_is_no_configuration_is_refused_in_few_lines() -> None:
    text = "".join(f"key{number}: 1\n" for number in range(2000))
    with pytest.raises(errors.ConfigError) as caught:
        loading.check_document(reading.read_yaml(text))
    assert len(caught.value.problems) == loading.MOST_REMARKS + 1


def test_a_table_of_a_million_columns_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("recipient,text," + ",".join(map(str, range(1_000_000))))
    with pytest.raises(errors.BadFileError, match="must name the columns") as caught:
        csv_file.read(path, country="PL", encoding=None, source="csv")
    assert len(str(caught.value)) < fuzz_support.LONGEST_WORDS


@pytest.mark.parametrize("text", ["s" + "1" * 16, "s" + "1" * 90])
def test_a_short_code_longer_than_any_number_is_refused(text: str) -> None:
    with pytest.raises(errors.BadNumberError):
        phone.parse_recipient(text, country="PL", international_digits=True)


def test_a_number_that_reads_otherwise_the_second_time_is_refused() -> None:
    with pytest.raises(errors.BadNumberError):
        phone.parse_recipient("+31008500100201", country="PL")

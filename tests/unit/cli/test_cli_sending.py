# SPDX-License-Identifier: Apache-2.0
"""`gsmgw send`: one message, and many."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import cli_support
import pytest
from cli_support import Place

from gsmgw.cli.messages import sending
from gsmgw.errors import StoreBusyError
from gsmgw.store import consent, outbox


def row(place: Place, message_id: int) -> sqlite3.Row:
    found = outbox.get(place.database, message_id)
    assert found is not None
    return found


def test_send_prints_the_id_and_nothing_else(place: Place) -> None:
    result = place.run("send", "500 100 201", "Your appointment: Monday, 8:30.")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "1\n", "")
    found = row(place, 1)
    assert (found["recipient"], found["source"], found["state"]) == (
        "+48500100201",
        "cli",
        "queued",
    )


def test_all_options_reach_the_row(place: Place) -> None:
    place.message(
        "Hi",
        category="survey",
        priority="urgent",
        reference="r1",
        source="lab",
        not_before="2099-11-22 08:30",
        expires_at="2099-11-23T08:30:00+01:00",
        modem="back",
    )
    found = row(place, 1)
    assert [found[name] for name in ("category", "priority", "reference", "source", "modem")] == [
        "survey",
        "urgent",
        "r1",
        "lab",
        "back",
    ]
    assert found["not_before"] == "2099-11-22T07:30:00.000Z"
    assert found["expires_at"] == "2099-11-23T07:30:00.000Z"
    place.good("send", "--report", "--flash", "+48500100201", "Hi")
    assert (row(place, 2)["report_requested"], row(place, 2)["flash"]) == (1, 1)


def test_a_table_comes_from_standard_input(place: Place) -> None:
    process = cli_support.start(
        "send", "--csv", "-", "--json", config=place.config, stdin=subprocess.PIPE
    )
    out, err = process.communicate(b"recipient,text\n500100201,Hi\nnobody,Hi\n", timeout=100)
    assert process.returncode == 65
    assert json.loads(out)["accepted"] == 1
    assert err.startswith(b"/dev/stdin, line 3: ")


def test_a_file_of_gammus_or_of_an_editor_may_be_utf16(place: Place) -> None:
    place.good("send", "+48500100201", "-", stdin="Zażółć\r\n".encode("utf-16"))
    assert [message["text"] for message in place.json("list")] == ["Zażółć"]


def test_a_time_in_a_refusal_is_the_clinics(place: Place) -> None:
    refused = place.run("send", "+48500100201", "Hi", "--expires-at", "2020-01-01 08:30")
    assert refused.exit_code == 65
    assert "2020-01-01 08:30:00 CET had passed" in refused.stderr


def test_the_text_comes_from_standard_input(place: Place) -> None:
    place.good("send", "+48500100201", "-", stdin="Zażółć\nżółw\n".encode())
    assert row(place, 1)["text"] == "Zażółć\nżółw"
    refused = place.run("send", "+48500100201", "-", stdin=b"\xff\xfe\xfa")
    assert refused.exit_code == 65
    assert "standard input is not UTF-8" in refused.stderr


def test_a_text_that_begins_with_a_dash_goes_behind_two(place: Place) -> None:
    place.good("send", "--", "+48500100201", "-10 %")
    assert row(place, 1)["text"] == "-10 %"


def test_a_repeat_gives_the_first_id_and_says_so(place: Place) -> None:
    assert place.message("Hi", reference="r1") == 1
    result = place.run("send", "--reference=r1", "+48500100202", "Other")
    assert (result.exit_code, result.stdout) == (0, "1\n")
    assert "reference r1 was known: it is message 1, queued" in result.stderr
    assert place.json("send", "--reference=r1", "+48500100202", "Other")["repeat"] is True


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nobody", "Hi"], "'nobody' is a name"),
        (["+48500100201", ""], "the text is empty"),
        (["+48500100201", "x" * 2000], "parts, 10 are allowed"),
        (["+48500100201", "Hi", "--not-before=soon"], "not_before: 'soon' is no time"),
        (["+48500100201", "Hi", "--modem=frnt"], "modem 'frnt' is not configured"),
        (["+48500100201", "broken \udcff"], "the text is not UTF-8"),
        (["+48500100201", "Hi", "--reference=\udcff"], "reference is not UTF-8"),
    ],
)
def test_what_can_never_be_sent_is_one_line_and_65(
    place: Place, words: list[str], reason: str
) -> None:
    result = place.run("send", *words)
    assert (result.exit_code, result.stdout) == (65, "")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
    assert outbox.listing(place.database) == []


def test_a_refusal_as_json_has_no_id(place: Place) -> None:
    found = place.json("send", "nobody", "Hi")
    assert (found["id"], found["state"], found["error_code"]) == (None, "rejected", "bad-number")


def test_a_stopped_recipient_is_kept_as_rejected(place: Place) -> None:
    with place.database.write() as tx:
        consent.decide(tx, "+48500100201", "care", "deny", "test")
    result = place.run("send", "+48500100201", "Hi")
    assert (result.exit_code, result.stdout) == (65, "1\n")
    assert "message 1 is rejected: this number has asked not to be written to" in result.stderr
    assert row(place, 1)["state"] == "rejected"


@pytest.mark.parametrize(
    "words",
    [
        ["send"],
        ["send", "+48500100201"],
        ["send", "--csv", "x.csv", "+48500100201"],
        ["send", "--csv", "x.csv", "--reference", "r"],
        ["send", "--encoding", "utf-8", "+48500100201", "Hi"],
        ["send", "+48500100201", "Hi", "--category", "fun"],
    ],
)
def test_wrong_usage_is_64(place: Place, words: list[str]) -> None:
    assert place.run(*words).exit_code == 64


# -- many ---------------------------------------------------------------------------------------


def write(place: Place, text: str) -> Path:
    path = place.path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_good_rows_go_on_and_bad_ones_are_named(place: Place) -> None:
    path = write(
        place,
        "recipient,text,reference\n"
        "+48500100201,one,a\n"
        "nobody,two,b\n"
        '+48500100203,"three",c,d\n'
        "+48500100204,four,a\n"
        "+48500100205,five,\n",
    )
    result = place.run("send", "--csv", path)
    assert result.exit_code == 65
    assert result.stdout == "2 accepted (2 parts), 1 known before, 2 refused\n"
    assert f"{path}, line 3: 'nobody' is a name" in result.stderr
    assert f"{path}, line 4: 4 columns" in result.stderr
    assert [r["text"] for r in outbox.listing(place.database)] == ["five", "one"]


def test_the_results_as_json(place: Place) -> None:
    path = write(place, "recipient,text\n+48500100201,one\nnobody,two\n")
    found = place.json("send", "--csv", path)
    assert (found["accepted"], found["rejected"], found["parts"]) == (1, 1, 1)
    assert [(m["line"], m["id"], m["state"]) for m in found["messages"]] == [
        (2, 1, "queued"),
        (3, None, "rejected"),
    ]


def test_options_fill_what_rows_leave_open(place: Place) -> None:
    path = write(place, "recipient,text,category\n+48500100201,one,\n+48500100202,two,staff\n")
    place.good("send", "--csv", path, "--category=survey", "--report", "--source=lab")
    first, second = row(place, 1), row(place, 2)
    assert (first["category"], second["category"]) == ("survey", "staff")
    assert (first["report_requested"], first["source"]) == (1, "lab")


def test_a_file_that_is_not_utf8_says_how_it_was_read(place: Place) -> None:
    path = place.path / "list.csv"
    path.write_bytes("recipient;text\n500100201;Zażółć\n".encode("cp1250"))
    result = place.run("send", "--csv", path)
    assert result.exit_code == 0
    assert "was read as cp1250" in result.stderr
    assert row(place, 1)["text"] == "Zażółć"


def test_many_rows_take_few_commits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ROWS_AT_ONCE", 4)
    batches: list[int] = []
    accept = sending.Door.accept

    def counting(door: sending.Door, drafts: list) -> list:
        batches.append(len(drafts))
        return accept(door, drafts)

    monkeypatch.setattr(sending.Door, "accept", counting)
    path = write(place, "recipient,text\n" + "".join(f"+48500100201,{n}\n" for n in range(10)))
    place.good("send", "--csv", path)
    assert batches == [4, 4, 2]


def test_a_database_that_gets_busy_half_way_says_where(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ROWS_AT_ONCE", 2)
    accept = sending.Door.accept

    def failing(door: sending.Door, drafts: list) -> list:
        if drafts[0].text == "2":
            raise StoreBusyError("the database is locked")
        return accept(door, drafts)

    monkeypatch.setattr(sending.Door, "accept", failing)
    path = write(place, "recipient,text\n" + "".join(f"+48500100201,{n}\n" for n in range(5)))
    result = place.run("send", "--csv", path)
    assert result.exit_code == 75
    assert "from line 4 on nothing was accepted" in result.stderr
    assert result.stdout.startswith("2 accepted")
    assert len(outbox.listing(place.database)) == 2


def test_ctrl_c_says_how_far_it_came(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(door: sending.Door, drafts: list) -> list:
        raise KeyboardInterrupt

    monkeypatch.setattr(sending.Door, "accept", interrupted)
    result = place.run("send", "--csv", write(place, "recipient,text\n+48500100201,one\n"))
    assert result.exit_code == 130
    assert "from line 2 on nothing was accepted" in result.stderr


def test_a_missing_or_wrong_file_is_one_line(place: Place) -> None:
    missing = place.run("send", "--csv", place.path / "none.csv")
    assert missing.exit_code == 74
    assert "none.csv: No such file or directory" in missing.stderr
    wrong = place.run("send", "--csv", write(place, "a,b\n1,2\n"))
    assert wrong.exit_code == 65
    assert "first line must name the columns" in wrong.stderr


def test_an_empty_list_is_no_mistake(place: Place) -> None:
    path = write(place, "recipient,text\n")
    assert json.loads(place.good("send", "--csv", path, "--json"))["messages"] == []


def test_a_bar_is_shown_on_a_terminal_only(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(place, "recipient,text\n+48500100201,one\n")
    assert "1/1" not in place.run("send", "--csv", path).stderr
    monkeypatch.setattr(sending, "_is_terminal", lambda: True)
    assert "1/1" in place.run("send", "--csv", path).stderr

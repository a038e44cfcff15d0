# SPDX-License-Identifier: Apache-2.0
"""The only way into the outbox: what is taken, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import factories
import pytest
from gateway_support import THREE_PARTS, TWO_PARTS, Rig

from gsmgw import errors, logs, pdu
from gsmgw.model import Category, TpOptions
from gsmgw.store import consent, events, outbox


def test_message_is_queued_with_its_parts(rig: Rig) -> None:
    found = rig.accept(TWO_PARTS, reference="r1", recipient="500 100 201")
    assert (found.state, found.repeat, found.parts, found.error) == ("queued", False, 2, None)
    row = rig.message(found.message_id)
    assert factories.fields(row, "recipient", "text", "source", "reference", "parts") == {
        "recipient": factories.RECIPIENT,
        "text": TWO_PARTS,
        "source": "test",
        "reference": "r1",
        "parts": 2,
    }
    assert (row["category"], row["priority"], row["alphabet"]) == ("care", "routine", "gsm7")
    assert "".join(part["text"] for part in outbox.parts(rig.db, row["id"])) == TWO_PARTS


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"recipient": "nobody"}, "bad-number", "nobody"),
        ({"recipient": ""}, "bad-number", "recipient|number"),
        ({"text": ""}, "bad-text", "empty"),
        ({"text": "x" * 40_000}, "bad-text", "40000 characters"),
        ({"text": "x" * 1600}, "bad-text", "11 parts, 10 are allowed"),
        ({"text": "half \ud800 pair"}, "bad-text", "surrogate"),
        ({"reference": "\udc00"}, "bad-text", "reference"),
        ({"source": "\udc00"}, "bad-text", "source"),
        ({"category": "spam"}, "bad-category", "allowed: staff, care, survey, marketing"),
        ({"priority": "high"}, "bad-priority", "allowed: stat, asap, urgent, routine"),
        ({"not_before": "tomorrow"}, "bad-time", "not_before: 'tomorrow' is no time"),
        ({"expires_at": "2026-13-01"}, "bad-time", "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "bad-time", "expires_at"),
        (
            {"not_before": "2026-12-02T10:00", "expires_at": "2026-12-02T09:00"},
            "bad-time",
            "is not after",
        ),
        ({"modem": "cellar"}, "bad-modem", "there are: front, back"),
    ],
)
def test_what_can_never_be_sent_is_refused_and_leaves_nothing(
    rig: Rig, fields: dict[str, str], reason: str, words: str
) -> None:
    with pytest.raises(errors.RejectedError, match=words) as caught:
        rig.accept(**fields)
    assert caught.value.reason == reason
    assert rig.db.rows("SELECT * FROM outbox") == []


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_blank_options_are_no_options(rig: Rig, blank: str | None) -> None:
    row = rig.message(rig.add(not_before=blank, expires_at=blank, category=blank or None))
    assert (row["not_before"], row["expires_at"], row["category"]) == (None, None, "care")


def test_words_may_be_written_large(rig: Rig) -> None:
    row = rig.message(rig.add(category="Survey", priority=" URGENT "))
    assert (row["category"], row["priority"]) == ("survey", "urgent")


def test_times_without_zone_are_the_clinics(rig: Rig) -> None:
    row = rig.message(rig.add(not_before="2026-12-01 09:00", expires_at="2026-12-01T09:00:00Z"))
    assert (row["not_before"], row["due_at"]) == ("2026-12-01T08:00:00.000Z",) * 2
    assert row["expires_at"] == "2026-12-01T09:00:00.000Z"


def test_message_that_has_expired_already_is_kept_so(rig: Rig) -> None:
    found = rig.accept(expires_at=rig.after(-1))
    assert (found.state, found.error_code) == ("expired", "expired")
    assert rig.state_of(found.message_id) == "expired"


# -- references -----------------------------------------------------------------------------------


def test_same_reference_of_one_source_is_one_message(rig: Rig) -> None:
    first = rig.accept("one", reference="r1")
    again = rig.accept("another text", reference="r1")
    assert (again.message_id, again.repeat, again.state) == (first.message_id, True, "queued")
    assert rig.accept("one", reference="r1", source="ward").message_id != first.message_id
    assert len(rig.db.rows("SELECT * FROM outbox")) == 2


def test_repeat_tells_what_became_of_the_first(rig: Rig) -> None:
    rig.attach()
    first = rig.add(reference="r1")
    rig.refuse(1)
    again = rig.accept(reference="r1")
    assert (again.message_id, again.state, again.error_code) == (first, "failed", "1")
    assert "message.repeated" in rig.event_names(first)


@pytest.mark.parametrize("reference", [None, ""])
def test_without_reference_equal_texts_are_two_messages(rig: Rig, reference: str | None) -> None:
    assert rig.add(reference=reference) != rig.add(reference=reference)


# -- runaways -------------------------------------------------------------------------------------


def test_sixth_equal_text_within_half_an_hour_is_rejected_and_kept(rig: Rig) -> None:
    rig.attach()
    with logs.capture() as records:
        found = [rig.accept("again") for _ in range(7)]
    assert [one.state for one in found] == ["queued"] * 5 + ["rejected"] * 2
    assert found[5].error_code == "repeated"
    assert "gsmgw retry" in (found[5].error or "")
    assert "message.runaway" in [record.event for record in records]
    assert rig.accept("again", recipient="+48500100202").state == "queued"
    assert rig.accept("else").state == "queued"
    rig.retry(found[5].message_id)
    assert rig.state_of(found[5].message_id) == "queued"


@pytest.mark.parametrize(("seconds", "state"), [(1799, "rejected"), (1801, "queued")])
def test_equal_texts_are_counted_for_half_an_hour(rig: Rig, seconds: int, state: str) -> None:
    for _ in range(5):
        rig.accept("again")
    rig.clock.advance(seconds)
    assert rig.accept("again").state == state


def test_texts_that_were_not_sent_do_not_prolong_the_half_hour(rig: Rig) -> None:
    for _ in range(5):
        rig.accept("again")
    rig.clock.advance(1200)
    assert {rig.accept("again").state for _ in range(5)} == {"rejected"}
    rig.clock.advance(601)
    assert rig.accept("again").state == "queued"


def test_equal_texts_over_a_longer_time_are_no_runaway(rig: Rig) -> None:
    for _ in range(10):
        assert rig.accept("again").state == "queued"
        rig.clock.advance(7 * 60)


def test_binary_messages_are_equal_only_if_their_octets_are(rig: Rig) -> None:
    for index in range(8):
        tp = TpOptions(data=bytes([index]))
        assert rig.accept("", tp=tp).state == "queued"
    states = [rig.accept("", tp=TpOptions(data=b"same")).state for _ in range(6)]
    assert states == ["queued"] * 5 + ["rejected"]


# -- STOP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stop", "stopped"),
    [
        ("all", ["care", "survey", "marketing"]),
        ("marketing", ["marketing"]),
        ("off", []),
    ],
)
def test_stop_binds_by_category(tmp_path: Path, stop: str, stopped: list[str]) -> None:
    rig = Rig(tmp_path, factories.make_config(replies={"stop": stop}))
    with rig.db.write() as tx:
        for category in Category:
            consent.decide(tx, factories.RECIPIENT, category, "deny", "reply")
    found = {category: rig.accept(category, category=category) for category in Category}
    rejected = [category for category, one in found.items() if one.state == "rejected"]
    assert rejected == stopped
    assert all(found[Category(category)].error_code == "stopped" for category in stopped)
    rig.close()


def test_stop_of_one_category_leaves_the_others_alone_and_can_be_taken_back(rig: Rig) -> None:
    with rig.db.write() as tx:
        consent.decide(tx, factories.RECIPIENT, Category.SURVEY, "deny", None)
    assert rig.accept("1", category="survey").state == "rejected"
    assert rig.accept("1", category="care").state == "queued"
    with rig.db.write() as tx:
        consent.decide(tx, factories.RECIPIENT, Category.SURVEY, "permit", None)
    assert rig.accept("2", category="survey").state == "queued"


# -- texts ----------------------------------------------------------------------------------------


def plain(tmp_path: Path) -> Rig:
    return Rig(tmp_path, factories.make_config(sending={"charset": "plain"}))


def test_plain_folds_only_where_it_saves_a_part(tmp_path: Path) -> None:
    rig = plain(tmp_path)
    long = "Zażółć gęślą jaźń. " * 6
    row = rig.message(rig.add(long))
    assert (row["alphabet"], row["parts"], row["text"]) == ("gsm7", 1, long)
    assert outbox.parts(rig.db, row["id"])[0]["text"].startswith("Zazolc gesla jazn")
    short = rig.message(rig.add("Zażółć"))
    assert (short["alphabet"], short["parts"]) == ("ucs2", 1)
    rig.close()


def test_folding_is_noted(tmp_path: Path) -> None:
    rig = plain(tmp_path)
    message_id = rig.add("Zażółć gęślą jaźń. " * 6)
    assert "message.folded" in [row["name"] for row in events.of_message(rig.db, message_id)]
    assert "message.folded" not in rig.event_names(rig.add("plain"))
    rig.close()


def test_full_charset_folds_nothing(rig: Rig) -> None:
    row = rig.message(rig.add("Zażółć gęślą jaźń. " * 6))
    assert (row["alphabet"], row["parts"]) == ("ucs2", 2)


@pytest.mark.parametrize("length", [150, 161, 320, 1400, 1500])
@pytest.mark.parametrize("alphabet", [None, "ucs2"])
def test_numbered_parts_fit_and_say_the_whole_text(
    tmp_path: Path, length: int, alphabet: str | None
) -> None:
    rig = Rig(tmp_path, factories.make_config(sending={"max_parts": 255}))
    rig.attach()
    text = "".join(chr(97 + index % 26) for index in range(length))
    message_id = rig.add(text, tp=TpOptions(split="numbered", alphabet=alphabet))
    parts = [row["text"] for row in outbox.parts(rig.db, message_id)]
    if len(parts) == 1:
        assert parts == [text]
    else:
        assert [part.split(" ")[0] for part in parts] == [
            f"{number}/{len(parts)}" for number in range(1, len(parts) + 1)
        ]
        assert "".join(part.split(" ", 1)[1] for part in parts) == text
    while (part := rig.claim()) is not None:
        decoded = pdu.decode(part.tpdu, direction="out", service_centre=False)
        assert isinstance(decoded, pdu.DecodedSubmit)
        assert (decoded.text, decoded.concat) == (parts[part.number - 1], None)
        rig.settle(factories.taken(part.part_id))
    assert rig.state_of(message_id) == "sent"
    rig.close()


def test_cut_sends_one_part_only(rig: Rig) -> None:
    assert rig.accept(THREE_PARTS, tp=TpOptions(split="cut")).parts == 1


def test_plain_split_has_no_header(rig: Rig) -> None:
    rig.attach()
    rig.add(TWO_PARTS, tp=TpOptions(split="plain"))
    decoded = pdu.decode(rig.must_claim().tpdu, direction="out", service_centre=False)
    assert isinstance(decoded, pdu.DecodedSubmit)
    assert decoded.concat is None


def test_binary_with_a_header_goes_out_as_it_came(rig: Rig) -> None:
    rig.attach()
    tp = TpOptions(data=b"\x01\x02", udh=bytes.fromhex("0504158a0000"), dcs=0xF5, pid=0x3F)
    message_id = rig.add("", tp=tp)
    decoded = pdu.decode(rig.must_claim().tpdu, direction="out", service_centre=False)
    assert isinstance(decoded, pdu.DecodedSubmit)
    assert (decoded.data, decoded.udh, decoded.dcs, decoded.pid) == (
        b"\x01\x02",
        tp.udh,
        0xF5,
        0x3F,
    )
    assert rig.message(message_id)["alphabet"] == "8bit"


@pytest.mark.parametrize(
    "tp",
    [
        TpOptions(data=bytes(141)),
        TpOptions(data=bytes(135), udh=bytes.fromhex("0504158a0000")),
        TpOptions(udh=bytes(140)),
    ],
)
def test_octets_that_do_not_fit_are_refused_at_the_door(rig: Rig, tp: TpOptions) -> None:
    with pytest.raises(errors.BadTextError):
        rig.accept("" if tp.data else "text", tp=tp)


def test_while_the_clock_is_suspect_nothing_expires_on_arrival(rig: Rig) -> None:
    rig.add()
    rig.clock.jump(-86400)
    rig.housekeeping.work()
    assert rig.accept("2", expires_at=rig.after(-100)).state == "queued"


def test_door_of_the_command_line_needs_no_trust(rig: Rig) -> None:
    from gsmgw.gateway.intake import Intake

    config = factories.make_config(country="DE", timezone="Europe/Berlin")
    door = Intake(config, rig.db)
    with rig.db.write() as tx:
        found = door.accept(tx, factories.make_draft(recipient="0151 12345678"))
    assert rig.message(found.message_id)["recipient"] == "+4915112345678"

# SPDX-License-Identifier: Apache-2.0
"""Scenario files: what is read, and how mistakes are told."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from gsmgw import errors
from gsmgw.simulator import faults, plan, scenario
from gsmgw.simulator.device import habits

DOCUMENT = Path(__file__).parents[3] / "docs" / "simulator.md"


def problems(values: dict[str, Any]) -> str:
    """Return the complaints about a scenario."""
    with pytest.raises(errors.ConfigError) as caught:
        scenario.parse(values)
    return "\n".join(caught.value.problems)


def with_modem(**keys: object) -> dict[str, Any]:
    return {"modems": [{"name": "front", **keys}]}


def test_a_name_is_enough() -> None:
    read = scenario.parse({"modems": [{"name": "front"}, {"name": "back"}]})
    front, back = read.modems
    assert (front.name, front.number, front.vendor) == ("front", "+48500100901", "generic")
    assert back.imei != front.imei
    assert read.network == plan.NetworkPlan()
    assert (read.phones, read.day) == ((), ())


def test_the_documented_example_is_right(tmp_path: Path) -> None:
    example = DOCUMENT.read_text().split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "clinic.yaml"
    path.write_text(example)
    read = scenario.read(path)
    front, back = read.modems
    assert (front.vendor, front.pin, front.latency_s, front.submit_s) == ("huawei", "1234", 0.02, 3)
    assert back.habits == {"prompt": ">", "cpms": "flat"}
    assert (back.quality.gap_s, back.quality.delay_s) == (0.0002, 0.005)
    assert back.quality.inside == "^RSSI:17"
    assert read.network.delivery_s == 2
    assert str(read.network.time_zone) == "Europe/Warsaw"
    by_number = {phone.number: phone for phone in read.phones}
    assert by_number["+48500100201"].answers[0] == plan.AnswerRule("TAK", "wizyta", 5.0, 1)
    assert by_number["+48500100203"].refuse == 38
    assert by_number["+48500100205"].status == 0x46
    assert [step.action for step in read.day] == [
        "sms",
        "call",
        "fault",
        "unplug",
        "fault",
        "clear",
        "phone",
        "unplug",
        "plug",
    ]
    assert read.day[2].fields == {"modem": "front", "name": "no-network", "for": "2m"}


def test_every_fault_is_documented() -> None:
    text = DOCUMENT.read_text()
    for name, fault in faults.FAULTS.items():
        assert f"`{name}`" in text
        row = next(
            line for line in text.splitlines() if line.startswith("| ") and f"`{name}`" in line
        )
        for key in fault.arguments:
            assert f"`{key}`" in row, (name, key)


def test_every_habit_is_documented() -> None:
    text = DOCUMENT.read_text()
    for habit in dataclasses.fields(habits.Habits):
        assert habit.name == "name" or f"`{habit.name}`" in text


def test_mistakes_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("modems:\n  - name: front\n    vendor: huawai\n    latncy: 2s\n")
    with pytest.raises(errors.ConfigError) as caught:
        scenario.read(path)
    vendor, latency = caught.value.problems
    assert vendor == (
        f"{path}, line 3: modems[0].vendor: found 'huawai'; did you mean huawei? "
        "allowed: generic, huawei, zte, simcom, quectel"
    )
    assert latency.startswith(
        f"{path}, line 4: modems[0].latncy: is no key here; did you mean latency?"
    )


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "modems: at least one modem is needed"),
        ({"modems": "front"}, "modems: found 'front'; wanted is a list"),
        ({"modems": ["front"]}, "modems[0]: found 'front'; wanted is a group of keys"),
        ({"modems": [{}]}, "modems[0].name: is missing"),
        ({"modems": [{"name": "a b"}]}, "modems[0].name: found 'a b'; allowed: 1 to 32"),
        ({"modems": [{"name": "a"}, {"name": "a"}]}, "two modems have the name a"),
        (
            {"modems": [{"name": "a", "number": "+48500100902"}, {"name": "b"}]},
            "two modems have the number +48500100902",
        ),
        (with_modem(pin="12"), "modems[0].pin: found '12'; allowed: 4 to 8 digits"),
        (with_modem(latency="fast"), "latency: found 'fast'; allowed: a duration such as 500ms"),
        (with_modem(signal="x"), "signal: found 'x'; allowed: 0 to 99"),
        (with_modem(plugged="maybe"), "plugged: found 'maybe'; allowed: on, yes, true"),
        (with_modem(references="count"), "references: found 'count'; did you mean counting?"),
        (with_modem(memory={"SM": "0"}), "memory.SM: found '0'; allowed: 1 to 1000"),
        (with_modem(memory={"MT": "1"}), "memory.MT: is no key here; allowed: SM, ME, SR"),
        (with_modem(habits={"promt": ">"}), "habits.promt: is no key here; did you mean prompt?"),
        (with_modem(habits={"cmee": "2"}), "habits.cmee: found '2'"),
        (with_modem(habits={"cpms": "square"}), "habits.cpms: found 'square'; allowed: nested"),
        (with_modem(link=["a"]), "link: found a list; wanted is a text"),
        ({**with_modem(), "network": "x"}, "network: found 'x'; wanted is a group of keys"),
        ({**with_modem(), "network": {"time_zone": "Mars"}}, "network.time_zone: found 'Mars'"),
        ({**with_modem(), "network": {"ussd": {"*1#": []}}}, "ussd.*1#: found a list"),
        ({**with_modem(), "phones": {"Bob": {}}}, "phones.Bob: found 'Bob'; allowed: a number"),
        (
            {**with_modem(), "phones": {"+4850": {"answers": [{"text": "x", "any": "no"}]}}},
            "answers[0]: wanted is either contains: TEXT or any: yes",
        ),
        ({**with_modem(), "day": [{"at": "1s"}]}, "day[0]: wanted is exactly one of sms, call"),
        ({**with_modem(), "day": [{"plug": {"modem": "front"}}]}, "day[0].at: is missing"),
        (
            {**with_modem(), "day": [{"at": "1s", "plug": {"modem": "frnt"}}]},
            "day[0].plug: there is no modem 'frnt'; did you mean front?",
        ),
        ({**with_modem(), "day": [{"at": "1s", "plug": {}}]}, "day[0].plug: modem is missing"),
        (
            {**with_modem(), "day": [{"at": "1s", "fault": {"modem": "front", "name": "hagn"}}]},
            "day[0].fault: there is no fault 'hagn'; did you mean hang?",
        ),
        (
            {**with_modem(), "day": [{"at": "1s", "sms": {"to": "front", "txt": "x"}}]},
            "day[0].sms: txt is no key of sms; did you mean text?",
        ),
        (
            {**with_modem(), "day": [{"at": "1s", "call": {"to": "front", "rings": "0"}}]},
            "day[0].call: rings: found '0'; allowed: 1 to 100",
        ),
        ({**with_modem(), "dya": []}, "dya: is no key here; did you mean day?"),
    ],
)
def test_every_mistake_is_explained(values: dict[str, Any], complaint: str) -> None:
    assert complaint in problems(values)


def on_a_day(action: str, **keys: object) -> dict[str, Any]:
    return {**with_modem(), "day": [{"at": "1s", action: keys}]}


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (
            on_a_day("fault", modem="front", name="refuse", code="banana"),
            "day[0].fault: code: found 'banana'; allowed: a CMS code from 0 to 65535, ERROR,",
        ),
        (
            on_a_day("fault", modem="front", name="refuse", code="²"),
            "day[0].fault: code: found '²'; allowed: a CMS code",
        ),
        (
            on_a_day("fault", modem="front", name="deletion-refused", code="ERROR"),
            "day[0].fault: code: found 'ERROR'; allowed: 0 to 65535",
        ),
        (
            on_a_day("fault", modem="front", name="garbage", every="0s"),
            "day[0].fault: every: found '0s'; allowed: 1ms or longer",
        ),
        (on_a_day("fault", modem="front"), "day[0].fault: name is missing; allowed: hang, unplug"),
        (
            on_a_day("sms", **{"from": "+48 500", "to": "front", "text": "x"}),
            "day[0].sms: from: '+48 500' is no number, and no name either",
        ),
        (
            on_a_day("sms", **{"from": "Abcdefghijkl", "to": "front", "text": "x"}),
            "day[0].sms: from: 'Abcdefghijkl' is longer than the 11 letters of a name",
        ),
        (
            on_a_day("sms", **{"from": "2580", "to": "front", "text": "ż" * 20000}),
            "day[0].sms: text: the text takes 299 parts, more than the 255 possible",
        ),
        (
            on_a_day("call", **{"from": "Anna", "to": "front"}),
            "day[0].call: from: found 'Anna'; allowed: a number",
        ),
        (
            on_a_day("phone", number="Anna", reachable="yes"),
            "day[0].phone: number: found 'Anna'; allowed: a number",
        ),
        (
            {**with_modem(), "network": {"time_zone": "+25:00"}},
            "network.time_zone: found '+25:00'; allowed: a zone such as Europe/Warsaw, or +01:00",
        ),
        (
            {**with_modem(), "network": {"clock_offset": "-99999999d"}},
            "network.clock_offset: found '99999999d'; allowed: at most 3650d",
        ),
        (with_modem(latency="9" * 400 + "d"), "..."),
        (
            {"modems": [{"name": "a", "link": "/tmp/x"}, {"name": "b", "link": "/tmp/x"}]},
            "two modems have the link /tmp/x",
        ),
        ({"modems": {"name": "front"}}, "modems: found a group of keys; wanted is a list"),
        ({"modems": ["front"]}, "modems[0]: found 'front'; wanted is a group of keys"),
        ({**with_modem(), "day": ["sms"]}, "day[0]: found 'sms'; wanted is a group of keys"),
        ({**with_modem(), "day": [{"at": "1s", "sms": "hello"}]}, "sms: found 'hello'; wanted is"),
        (on_a_day("smss", to="front"), "day[0].smss: is no key here; did you mean sms?"),
    ],
)
def test_a_mistake_is_one_line_before_anything_begins(
    values: dict[str, Any], complaint: str
) -> None:
    found = problems(values)
    assert complaint in found
    assert len(found.splitlines()) == 1
    assert len(found) < 300


def test_modems_may_share_an_imei_and_a_card_and_anybody_may_text() -> None:
    same = {"imei": "356938035643809", "iccid": "8948010000000000017", "imsi": "260010000000017"}
    text = {"to": "a", "text": "x"}
    day = [{"at": "1s", "sms": {**text, "from": sender}} for sender in ("Apteka", "*100#", "", "7")]
    call = {"at": "2s", "call": {"from": "", "to": "a"}}
    read = scenario.parse(
        {"modems": [{"name": "a", **same}, {"name": "b", **same}], "day": [*day, call]}
    )
    assert len(read.day) == 5


def test_all_mistakes_at_once() -> None:
    found = problems(
        {"modems": [{"name": "a", "pin": "x", "signal": "y"}], "network": {"foo": "1"}}
    )
    assert len(found.splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("1.5", 1.5), (3, 3), (0.25, 0.25), ("2m", 120), ("1h", 3600)],
)
def test_durations(text: object, seconds: float) -> None:
    assert scenario.parse(with_modem(submit=text)).modems[0].submit_s == seconds


def test_zones_as_offsets() -> None:
    for text, minutes in (("+05:45", 345), ("-0330", -210)):
        read = scenario.parse({**with_modem(), "network": {"time_zone": text}})
        assert read.network.time_zone.utcoffset(None) == dt.timedelta(minutes=minutes)


def test_steps_are_sorted() -> None:
    day = [{"at": f"{at}s", "plug": {"modem": "front"}} for at in (3, 1, 2)]
    assert [step.at_s for step in scenario.parse({**with_modem(), "day": day}).day] == [1, 2, 3]

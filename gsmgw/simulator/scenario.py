# SPDX-License-Identifier: Apache-2.0
"""Reads scenario files: which modems, which network, which phones, and what happens when."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from gsmgw import config, errors
from gsmgw.simulator import faults, fields, line, plan
from gsmgw.simulator.device import habits

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_STEPS: dict[str, tuple[str, ...]] = {
    "sms": ("from", "to", "text", "flash"),
    "call": ("from", "to", "rings"),
    "fault": (),
    "clear": ("modem", "name"),
    "unplug": ("modem", "for"),
    "plug": ("modem", "link"),
    "phone": ("number", "reachable"),
}


def read(path: Path) -> plan.Scenario:
    """Read a scenario file; blocks for the reading.

    Raises:
        ConfigError: the file cannot be read or is wrong; `problems` names every mistake.
    """
    document = config.read_yaml(path)
    return _parse(document.mapping(), fields.Sheet(lambda place: document.where(*place)))


def parse(values: Mapping[str, object]) -> plan.Scenario:
    """Read a scenario that stands in the same keys as in a file; texts and numbers both do.

    Raises:
        ConfigError: it is wrong; `problems` names every mistake.
    """
    return _parse(values, fields.Sheet(lambda _place: "scenario"))


def _parse(values: Mapping[str, object], sheet: fields.Sheet) -> plan.Scenario:
    top = sheet.group(values, ())
    modems = [
        _modem(sheet.group(value, place), number)
        for number, (value, place) in enumerate(top.items("modems"), 1)
    ]
    names = [modem.name for modem in modems]
    if not modems and not sheet.problems:
        top.complain("at least one modem is needed, for example [{name: front}]", "modems")
    for problem in _shared(modems):
        top.complain(problem, "modems")
    network = _network(top.group("network"))
    phones = _phones(top.group("phones"), sheet)
    day = [_step(sheet.group(value, place), names) for value, place in top.items("day")]
    top.finish()
    if sheet.problems:
        raise errors.ConfigError("; ".join(sheet.problems), tuple(sheet.problems))
    ordered = sorted(day, key=lambda step: step.at_s)
    return plan.Scenario(tuple(modems), network, tuple(phones), tuple(ordered))


def _shared(modems: list[plan.ModemPlan]) -> Iterator[str]:
    """Yield what two modems have in common and cannot.

    IMEI and card they may share: as the two ports of one stick do, and cheap modems their IMEI.
    """
    own = {
        "name": [modem.name for modem in modems],
        "number": [modem.number for modem in modems],
        "link": [str(Path(modem.link).absolute()) for modem in modems if modem.link is not None],
    }
    for what, used in own.items():
        for twice in sorted({word for word in used if used.count(word) > 1}):
            yield f"two modems have the {what} {twice}"


def _name(value: object) -> str:
    name = fields.text(value)
    if not _NAME.fullmatch(name):
        raise ValueError(f"found {name!r}; allowed: 1 to 32 of A-Z a-z 0-9 _ -")
    return name


def _modem(group: fields.Group, number: int) -> plan.ModemPlan:
    default = plan.ModemPlan(
        name=f"modem{number}",
        number=f"+485001009{number:02d}",
        imei=f"3569380356{number:05d}",
        imsi=f"2600100000{number:05d}",
        iccid=f"894801000000000{number:05d}",
    )
    modem = plan.ModemPlan(
        name=group.need("name", _name, default.name),
        vendor=group.take("vendor", fields.word(*habits.VENDORS), default.vendor),
        link=group.take("link", fields.text, "") or None,
        plugged=group.take("plugged", fields.switch, default=True),
        number=group.take("number", fields.phone_number, default.number),
        imei=group.take("imei", fields.digits(14, 16), default.imei),
        imsi=group.take("imsi", fields.digits(6, 15), default.imsi),
        iccid=group.take("iccid", fields.digits(18, 20), default.iccid),
        pin=group.take("pin", fields.digits(4, 8), "") or None,
        puk=group.take("puk", fields.digits(8, 8), default.puk),
        latency_s=group.take("latency", fields.seconds, default.latency_s),
        submit_s=group.take("submit", fields.seconds, default.submit_s),
        boot_s=_optional_seconds(group, "boot"),
        registration_s=group.take("registration", fields.seconds, default.registration_s),
        signal=group.take("signal", fields.whole(0, 99), default.signal),
        references=group.take("references", fields.word(*plan.REFERENCES), default.references),
        reports=group.take("reports", fields.switch, default=True),
        capacity=_capacity(group.group("memory")),
        habits=_habits(group.group("habits")),
        quality=_quality(group.group("quality")),
    )
    group.finish()
    return modem


def _optional_seconds(group: fields.Group, key: str) -> float | None:
    found = group.take(key, fields.seconds, -1.0)
    return None if found < 0 else found


def _capacity(group: fields.Group) -> dict[str, int]:
    default = {"SM": 20, "ME": 0, "SR": 10}
    lowest = {"SM": 1, "ME": 0, "SR": 0}
    found = {
        name: group.take(name, fields.whole(lowest[name], 1000), slots)
        for name, slots in default.items()
    }
    group.finish()
    return found


def _habits(group: fields.Group) -> dict[str, object]:
    """Read changes to a vendor's habits, each by the type that the field has."""
    found: dict[str, object] = {}
    for own in dataclasses.fields(habits.Habits):
        if own.name in group.keys:
            value = group.take(own.name, _habit_parser(own.name, str(own.type)), None)
            if value is not None:
                found[own.name] = value
        else:
            group.take(own.name, fields.text, "")
    group.finish()
    return found


def _habit_parser(name: str, kind: str) -> fields.Parser:
    if name == "cpms":
        return fields.word(*habits.MEMORY_FORMS)
    parsers: dict[str, fields.Parser] = {
        "bool": fields.switch,
        "float": fields.seconds,
        "int": fields.whole(0, 1000),
        "tuple[str, ...]": fields.texts,
    }
    return parsers.get(kind, fields.text)


def _quality(group: fields.Group) -> line.Quality:
    quality = line.Quality(
        gap_s=_optional_seconds(group, "gap"),
        delay_s=group.take("delay", fields.seconds, 0.0),
        inside=group.take("inside", fields.text, "") or None,
    )
    group.finish()
    return quality


def _network(group: fields.Group) -> plan.NetworkPlan:
    default = plan.NetworkPlan()
    ussd = group.group("ussd").pairs()
    network = plan.NetworkPlan(
        operator=group.take("operator", fields.text, default.operator),
        plmn=group.take("plmn", fields.digits(5, 6), default.plmn),
        service_centre=group.take("service_centre", fields.phone_number, default.service_centre),
        delivery_s=group.take("delivery", fields.seconds, default.delivery_s),
        report_s=group.take("report", fields.seconds, default.report_s),
        retry_s=group.take("retry", fields.seconds, default.retry_s),
        reports=group.take("reports", fields.switch, default=True),
        report_numbers=group.take(
            "report_numbers", fields.word(*plan.REPORT_NUMBERS), default.report_numbers
        ),
        time_zone=group.take("time_zone", fields.time_zone, default.time_zone),
        clock_offset_s=group.take("clock_offset", fields.offset, default.clock_offset_s),
        nitz=group.take("nitz", fields.switch, default=True),
        wide_references=group.take("wide_references", fields.switch, default=False),
        ussd=ussd or default.ussd,
    )
    group.finish()
    return network


def _phones(group: fields.Group, sheet: fields.Sheet) -> list[plan.PhonePlan]:
    found = []
    for number in group.keys:
        phone = group.group(number)
        try:
            fields.phone_number(number)
        except ValueError as error:
            phone.complain(str(error))
        refuse = phone.take("refuse", fields.whole(0, 511), -1)
        status = phone.take("status", fields.whole(0, 255), -1)
        found.append(
            plan.PhonePlan(
                number=number,
                delivery_s=_optional_seconds(phone, "delivery"),
                refuse=None if refuse < 0 else refuse,
                unreachable=phone.take("unreachable", fields.switch, default=False),
                status=None if status < 0 else status,
                answers=tuple(
                    _answer(sheet.group(value, place)) for value, place in phone.items("answers")
                ),
            )
        )
        phone.finish()
    return found


def _answer(group: fields.Group) -> plan.AnswerRule:
    times = group.take("times", fields.whole(1, 1_000_000), 0)
    contains = group.take("contains", fields.text, "")
    any_text = group.take("any", fields.switch, default=not contains)
    if any_text == bool(contains):
        group.complain("wanted is either contains: TEXT or any: yes")
    rule = plan.AnswerRule(
        text=group.need("text", fields.text, ""),
        contains=contains or None,
        after_s=group.take("after", fields.seconds, 1.0),
        times=times or None,
    )
    group.finish()
    return rule


def _step(group: fields.Group, modems: list[str]) -> plan.Step:
    at_s = group.need("at", fields.seconds, 0.0)
    actions = [key for key in group.keys if key in _STEPS]
    # A key that is not known is named as such below, with the one it may have been meant for.
    if len(actions) > 1 or not set(group.keys) - {"at"}:
        group.complain(f"wanted is exactly one of {', '.join(_STEPS)}")
    step = plan.Step("", {}, at_s)
    for action in actions:
        inner = group.group(action)
        found = inner.pairs()
        for problem in check_step(action, found, modems):
            inner.complain(problem)
        step = plan.Step(action, found, at_s)
    for key in _STEPS:
        group.take(key, lambda _value: None, None)
    group.finish()
    return step


def check_step(action: str, found: dict[str, str], modems: list[str]) -> list[str]:
    """Return what is wrong with something that is to happen, one line for each mistake."""
    if action not in _STEPS:
        return [f"{action} is nothing that can happen; {fields.suggest(action, _STEPS)}"]
    problems = [] if action == "phone" else _check_modem(action, found, modems)
    if action == "fault":
        arguments = {key: text for key, text in found.items() if key not in ("modem", "name")}
        return problems + faults.check(found.get("name", ""), arguments)
    for key in found:
        if key not in _STEPS[action]:
            problems.append(f"{key} is no key of {action}; {fields.suggest(key, _STEPS[action])}")
    return problems + _check_values(action, found)


def _check_modem(action: str, found: dict[str, str], modems: list[str]) -> list[str]:
    key = "to" if action in ("sms", "call") else "modem"
    if key not in found:
        return [f"{key} is missing"]
    if found[key] not in modems:
        return [f"there is no modem {found[key]!r}; {fields.suggest(found[key], modems)}"]
    return []


def _check_values(action: str, found: dict[str, str]) -> list[str]:
    wanted: dict[str, fields.Parser] = {
        "for": fields.seconds,
        "rings": fields.whole(1, 100),
        "flash": fields.switch,
        "reachable": fields.switch,
        "name": fields.word(*faults.FAULTS),
        "from": fields.caller if action == "call" else fields.sender,
        "text": fields.message,
        "number": fields.phone_number,
    }
    problems = []
    for key, value in found.items():
        if key not in _STEPS[action]:
            continue
        try:
            wanted.get(key, fields.text)(value)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    needed = {"sms": ("from", "text"), "phone": ("number", "reachable")}
    problems += [f"{key} is missing" for key in needed.get(action, ()) if key not in found]
    return problems

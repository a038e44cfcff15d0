# SPDX-License-Identifier: Apache-2.0
"""Values are put into a commented configuration, and what stood there stays."""

from __future__ import annotations

import difflib

import pytest
from cli_support import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmgw import config
from gsmgw.cli.setup import commented
from gsmgw.config import Value

FRONT = {
    "name": "front",
    "port": "/dev/serial/by-id/usb-x-if00",
    "pin_file": "/etc/gsmgw/front.pin",
}
BACK = {"name": "back", "match": {"imei": "490154203237518", "usb": "12d1:1506"}}


def added(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[2:] for line in lines if line.startswith("+ ")]


def removed(before: str, after: str) -> list[str]:
    return added(after, before)


def test_the_default_is_the_one_that_people_read() -> None:
    assert commented.default() == (ROOT / "config" / "gsmgw.yaml").read_text("utf-8")


def test_modems_take_the_place_of_the_examples() -> None:
    before = commented.default()
    wanted = commented.document(before) | {"country": "GB", "modems": [FRONT, BACK]}
    after = commented.revise(before, wanted, {("country",): "as this machine has it"})
    assert after is not None
    assert added(before, after) == [
        "# as this machine has it",
        "country: GB",
        "  - name: front",
        "    port: /dev/serial/by-id/usb-x-if00",
        "    pin_file: /etc/gsmgw/front.pin",
        "",
        "  - name: back",
        '    match: {imei: "490154203237518", usb: "12d1:1506"}',
    ]
    assert len(removed(before, after)) == 4
    assert config.check_document(config.read_yaml(after)).config.modem("back") is not None


def test_commented_keys_and_groups_come_to_life() -> None:
    before = "spool:\n  # Where.\n  #path: /var/spool/gsmgw\n#hooks:\n  #event: [/bin/x]\n"
    wanted: dict[str, Value] = {
        "spool": {"path": "/var/spool/sms"},
        "hooks": {"event": ["/usr/local/bin/handler", "a b"], "timeout": "20s"},
    }
    assert commented.revise(before, wanted, {}) == (
        "spool:\n  # Where.\n  path: /var/spool/sms\nhooks:\n"
        '  timeout: 20s\n  event: [/usr/local/bin/handler, "a b"]\n'
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("modems: [{name: a, port: /dev/a}]\n", None),
        (
            "modems:\n- name: a\n  port: /dev/a\n",
            "modems:\n- name: a\n  port: /dev/a\n\n- name: b\n",
        ),
        (
            "modems:\n  - name: a\n    port: /dev/a\n\n# my spool\nspool: {path: x}\n",
            "modems:\n  - name: a\n    port: /dev/a\n\n  - name: b\n    port: /dev/b\n",
        ),
        ("modems:\n  - port: /dev/a\n    name: a\n", None),
    ],
)
def test_a_modem_comes_to_those_that_are_there(before: str, after: str | None) -> None:
    wanted = commented.document(before)
    assert isinstance(wanted["modems"], list)
    wanted["modems"].append({"name": "b", "port": "/dev/b"})
    written = commented.write([before], wanted)
    assert commented.document(written) == wanted
    assert written.startswith(after or "modems:")


def test_a_key_that_is_not_wanted_any_more_is_commented_out() -> None:
    before = "retention:\n  text: 90d\n  person: 400d\n"
    after = commented.revise(before, {"retention": {"text": "90d"}}, {})
    assert after == "retention:\n  text: 90d\n  #person: 400d\n"


@pytest.mark.parametrize(
    "before",
    [
        "modems: &all\n  - name: a\n    port: >-\n      /dev/a\n",
        "modems:\n  - {name: a,\n     port: /dev/a}\n",
        "country: >\n  PL\n",
    ],
)
def test_what_cannot_be_revised_is_written_anew(before: str) -> None:
    wanted = commented.document(before) | {"country": "GB"}
    modems = wanted.setdefault("modems", [])
    assert isinstance(modems, list)
    modems.append({"name": "b", "port": "/dev/b"})
    for texts in ([before, commented.default()], [before]):
        assert commented.document(commented.write(texts, wanted)) == wanted


def test_what_is_no_yaml_is_not_revised() -> None:
    with pytest.raises(config.reading.ConfigError):
        commented.document("a: [")


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
scalars = words.filter(lambda word: word.strip() == word)


@settings(max_examples=60)
@given(
    path=scalars,
    hook=st.lists(scalars, min_size=1, max_size=3),
    names=st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True), max_size=3, unique=True),
    is_default=st.booleans(),
)
def test_whatever_is_wanted_is_said(
    path: str, hook: list[str], names: list[str], is_default: bool
) -> None:
    base = commented.default() if is_default else "spool:\n  settle: 1s\n"
    wanted = commented.document(base) | {
        "database": {"path": path},
        "hooks": {"event": list[Value](hook)},
    }
    if names:
        wanted["modems"] = [{"name": name, "port": f"/dev/{path}"} for name in names]
    assert commented.document(commented.write([base], wanted)) == wanted

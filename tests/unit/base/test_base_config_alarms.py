# SPDX-License-Identifier: Apache-2.0
"""The configuration of alarms: what is refused, and what is unwise."""

from __future__ import annotations

import pytest

from gsmgw import config
from gsmgw.errors import ConfigError

TWO = "modems: [{name: front, port: /dev/a}, {name: back, port: /dev/b}]\n"
ONE = "modems: [{name: front, port: /dev/a}]\n"


def check(text: str) -> config.Checked:
    return config.check_document(config.read_yaml(text, name="gsmgw.yaml"))


def test_one_number_or_some() -> None:
    one = check(TWO + 'alarms: {sms: {to: "+48500100202"}}').config.alarms
    some = check(TWO + 'alarms: {sms: {to: ["+48500100202", "500100203"]}}').config.alarms
    assert (one.sms.to, some.sms.to) == (("+48500100202",), ("+48500100202", "500100203"))
    assert one.is_on
    assert not config.Config().alarms.is_on


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("sms: {to: 12x}", "alarms.sms.to"),
        ('sms: {to: "+48500100202", modem: side}', "allowed is the name of a modem"),
        ("also: signal.weak", "allowed is a list of findings"),
        ("never: [weak]", "'weak' is no finding"),
        ('site: ""\n  level: loud', "allowed are error, warning"),
        ("site: A box with a very long name", "1 to 20 characters"),
        ("hook: /bin/true", "allowed is a list"),
        ("hook: [true]", "a full path"),
        ("after: 5s", "1m to 1d"),
        ("sms: {to: [[x]]}", "a single value"),
    ],
)
def test_mistakes_are_named(keys: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(f"{TWO}alarms:\n  {keys}\n")
    assert any(words in problem for problem in caught.value.problems)


def test_only_modem_cannot_tell_of_its_own_trouble() -> None:
    (warning,) = check(ONE + 'alarms: {sms: {to: "+48500100202"}}').warnings
    assert "nobody hears by SMS of the only modem's own trouble" in warning
    assert not check(ONE + 'alarms: {hook: [/bin/x], sms: {to: "+48500100202"}}').warnings
    assert not check(TWO + 'alarms: {sms: {to: "+48500100202"}}').warnings

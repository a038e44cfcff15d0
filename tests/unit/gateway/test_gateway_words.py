# SPDX-License-Identifier: Apache-2.0
"""Codes in words, routes and retries: the small pure modules."""

from __future__ import annotations

import factories
import pytest

from gsmgw.gateway import routing, words
from gsmgw.gateway.hints import Hints


@pytest.mark.parametrize(
    ("family", "code", "part"),
    [
        ("cms", "27", "+CMS ERROR 27: Destination out of order"),
        ("cms", None, "No code given"),
        ("cms", "9999", "vendor"),
        ("cme", "30", "+CME ERROR 30: No network service"),
        ("tp-st", "70", "status 70: SM validity period expired"),
        ("tp-st", "rubbish", "rubbish"),
        ("gsmgw", "expired", "expired"),
        (None, None, ""),
    ],
)
def test_stored_error_in_words(family: str | None, code: str | None, part: str) -> None:
    assert part in words.explain(family, code)


def test_longest_prefix_decides() -> None:
    config = factories.make_config(
        modems=[
            factories.make_modem("a", routes=["+48", "+44"]),
            factories.make_modem("b", routes=["+4850"]),
        ]
    )
    assert routing.route_of("+48500100201", None, config.modems) == "+4850"
    assert routing.route_of("+48600100201", None, config.modems) == "+48"
    assert routing.route_of("2580", None, config.modems) == ""
    assert routing.route_of("+48500100201", "a", config.modems) == "a"
    assert routing.routes_served(config.modems[1], config.modems) == ("", "b", "+4850")
    assert routing.route_of_sim(17) == "sim:17"


def test_hints_wake_every_modem() -> None:
    hints, woken = Hints(), []
    for name in ("front", "back"):
        hints.add_modem(lambda name=name: woken.append(name))
    hints.due()
    assert woken == ["front", "back"]

# SPDX-License-Identifier: Apache-2.0
"""Messages that wait while modems and their prefixes change in the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import factories
import pytest
from gateway_support import TWO_PARTS, Rig

from gsmgw import logs
from gsmgw.config import Config

BRITISH = "+447700900201"


def split(**back: list[str]) -> Config:
    """Make a configuration in which modem back has keys of its own."""
    modems = [factories.make_modem("front"), factories.make_modem("back", **back)]
    return factories.make_config(modems=modems)


def without_back() -> Config:
    return factories.make_config(modems=[factories.make_modem("front")])


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, split(routes=["+44"]))
    made.attach("front")
    yield made
    made.close()


@pytest.mark.parametrize("then", [without_back(), split(), split(routes=["+447", "+33"])])
def test_messages_of_a_prefix_that_is_configured_no_longer_go_out_over_others(
    rig: Rig, then: Config
) -> None:
    ids = [rig.add(f"{index}", recipient=BRITISH) for index in range(150)]
    long = rig.add(TWO_PARTS, recipient=BRITISH)
    assert rig.claim("front") is None
    rig.restart(then)
    names = [modem.name for modem in rig.config.modems]
    for name in names:
        rig.attach(name)
    for name in names:
        while (part := rig.claim(name)) is not None:
            rig.settle(factories.taken(part.part_id, 17), name)
    assert {rig.state_of(message_id) for message_id in (*ids, long)} == {"sent"}


def test_message_that_is_sent_again_by_a_person_is_routed_as_modems_are_now(rig: Rig) -> None:
    message_id = rig.add(recipient=BRITISH)
    rig.cancel(message_id)
    rig.restart(without_back())
    rig.attach("front")
    rig.retry(message_id)
    rig.housekeeping.work()
    assert rig.must_claim("front").message_id == message_id


def test_wish_for_a_modem_that_is_configured_no_longer_waits_and_is_told_once(rig: Rig) -> None:
    wishes = [rig.add(f"{index}", modem="back") for index in range(3)]
    with logs.capture() as records:
        rig.restart(without_back())
        rig.attach("front")
        for _ in range(3):
            rig.housekeeping.work()
    assert [(one.event, one.fields) for one in records] == [
        ("message.stranded", {"modem": "back", "messages": 3})
    ]
    assert rig.claim("front") is None
    assert {rig.state_of(message_id) for message_id in wishes} == {"queued"}
    rig.restart(split())
    rig.attach("back")
    assert rig.must_claim("back").message_id == wishes[0]


def test_parts_that_only_one_sim_may_send_keep_to_it(rig: Rig) -> None:
    message_id = rig.add(TWO_PARTS)
    rig.send(modem="front")
    route = rig.message(message_id)["route"]
    rig.restart(without_back())
    assert rig.message(message_id)["route"] == route == "sim:1"

# SPDX-License-Identifier: Apache-2.0
"""What happens next by itself, as the health record tells it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import factories
import pytest
from gateway_support import Rig

from gsmgw.gateway.health import record
from gsmgw.gateway.health.upcoming import Upcoming
from gsmgw.model import SimState
from gsmgw.store import modems


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(
        tmp_path,
        factories.make_config(
            sending={"hours": {"mon-sun": "12:00-14:00"}},
            modems=[factories.make_modem("front", limits={"per_day": 2})],
        ),
    )
    yield made
    made.close()


def coming(rig: Rig) -> dict[str, Upcoming]:
    health = record.gather(rig.config, rig.db, rig.clock.now(), daemon_pid=1, outgoing=None)
    times = [event.at for event in health.upcoming]
    assert times == sorted(times)
    assert health.as_json()["next"] == [
        {name: getattr(event, name) for name in Upcoming.__slots__} for event in health.upcoming
    ]
    return {event.name: event for event in health.upcoming}


def test_of_an_idle_gateway_nothing_is_expected(rig: Rig) -> None:
    rig.attach()
    assert coming(rig) == {}


def test_surveys_wait_for_their_hours(rig: Rig) -> None:
    rig.attach()
    rig.add(category="survey")
    rig.add(category="care")
    found = coming(rig)
    # 8:00 UTC is 9:00 on the wall; the hours begin at noon.
    assert (found["hours"].at, found["hours"].what) == (
        "2026-11-23T11:00:00.000Z",
        "survey messages go out",
    )
    rig.clock.advance(3 * 3600)
    assert "hours" not in coming(rig)


def test_planned_messages_have_their_time(rig: Rig) -> None:
    rig.add(category="care", not_before=rig.after(2 * 3600))
    rig.add(category="care", not_before=rig.after(1 * 3600))
    assert coming(rig)["due"].at == "2026-11-23T09:00:00.000Z"


def test_a_message_that_expires_today_is_named(rig: Rig) -> None:
    rig.add(expires_at=rig.after(3 * 86_400))
    assert "expiry" not in coming(rig)
    message = rig.add(expires_at=rig.after(3 * 3600))
    found = coming(rig)["expiry"]
    assert (found.message_id, found.at) == (message, "2026-11-23T11:00:00.000Z")


def test_a_doubt_ends_when_no_evidence_comes(rig: Rig) -> None:
    rig.attach()
    message = rig.add()
    rig.doubt()
    found = coming(rig)["doubt"]
    assert found.message_id == message
    assert found.at == "2026-11-23T08:10:00.000Z"
    assert "a person decides" in found.what
    rig.restart(factories.make_config(sending={"uncertain": {"settle_as": "resend"}}))
    assert "is sent again" in coming(rig)["doubt"].what


def test_a_resting_sim_and_a_limit_have_their_ends(rig: Rig) -> None:
    sim = rig.attach()
    for number in range(2):
        rig.add(recipient=factories.make_number(number))
        rig.send(number)
    with rig.db.write() as tx:
        until = "2026-11-23T08:05:00.000Z"
        modems.set_sim_state(tx, sim, SimState.RESTING, "refused", resting_until=until)
    found = coming(rig)
    assert (found["sim"].at, found["sim"].modem) == (until, "front")
    assert found["limit"].at == "2026-11-23T23:00:00.000Z"  # midnight in Warsaw


def test_parts_of_today_are_counted_by_modem(rig: Rig) -> None:
    rig.attach()
    rig.add()
    rig.send()
    health = record.gather(rig.config, rig.db, rig.clock.now(), daemon_pid=1, outgoing=None)
    assert health.modems[0]["sent_today"] == 1
    rig.clock.advance(86_400)
    health = record.gather(rig.config, rig.db, rig.clock.now(), daemon_pid=1, outgoing=None)
    assert health.modems[0]["sent_today"] == 0

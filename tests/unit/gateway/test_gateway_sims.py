# SPDX-License-Identifier: Apache-2.0
"""SIMs and their modems: one seen through two ports, one that a person must see to."""

from __future__ import annotations

import factories
import pytest
from gateway_support import Rig

from gsmgw.errors import SimError
from gsmgw.model import ModemReport, ModemState, SimIdentity, SimState
from gsmgw.store import modems

SIM = "8948010000000000017"


def test_second_port_of_a_device_is_refused_and_neither_sends_nor_counts_anew(rig: Rig) -> None:
    sim_id = rig.attach("front", sim=SIM)
    rig.train(sim_id, 10)
    with pytest.raises(SimError, match="the one of modem front"):
        rig.attach("back", sim=SIM)
    assert modems.get(rig.db, "back") is None
    assert rig.sim(sim_id)["last_mr"] == 10
    rig.attach("front", sim=SIM)  # which begins anew, is the same one


@pytest.mark.parametrize(
    "state", [ModemState.ABSENT, ModemState.NEEDS_PIN, ModemState.UNRESPONSIVE, ModemState.STUCK]
)
def test_sim_may_be_moved_out_of_a_modem_that_does_not_answer(rig: Rig, state: ModemState) -> None:
    rig.attach("front", sim=SIM)
    rig.state("front", state)
    rig.attach("back", sim=SIM)
    message_id = rig.add()
    assert rig.must_claim("back").message_id == message_id


def test_sim_that_is_moved_with_a_part_in_flight_sends_nothing_twice(rig: Rig) -> None:
    """The part stays in doubt with its SIM; a report in the other modem tells of it."""
    sim_id = rig.attach("front", sim=SIM)
    rig.train(sim_id, 10)
    for index in range(2):
        rig.add(f"{index}", recipient=factories.make_number(index))
        rig.clock.advance(1)
    flying = rig.must_claim("front").part_id
    with pytest.raises(SimError):
        rig.attach("back", sim=SIM)  # until its modem is known to be without it
    rig.state("front", ModemState.ABSENT)
    assert rig.attach("back", sim=SIM) == sim_id
    following = rig.claim("back")
    assert following is None or following.part_id != flying, "its fate is not known"
    assert rig.part(flying)["state"] in ("sending", "uncertain")
    rig.settle(factories.uncertain(flying), "front")
    assert (rig.part(flying)["state"], rig.part(flying)["sim_id"]) == ("uncertain", sim_id)
    rig.report(11, factories.make_number(0), modem="back")
    assert (rig.part(flying)["state"], rig.part(flying)["mr"]) == ("delivered", 11)


def test_modems_that_share_an_imei_and_tell_nothing_of_their_sims_are_two(rig: Rig) -> None:
    for name in ("front", "back"):
        rig.dispatcher.attach(name, ModemReport(name, ModemState.OPENING, imei="356938035643809"))
        rig.state(name, ModemState.READY)


def locked(rig: Rig, modem: str, why: str, sim: str | None = SIM) -> None:
    identity = SimIdentity(sim, None)
    rig.dispatcher.changed(ModemReport(modem, ModemState.NEEDS_PIN, why=why, sim=identity))


def test_sim_that_a_person_must_see_to_is_blocked_until_it_works(rig: Rig) -> None:
    sim_id = rig.attach("front", sim=SIM)
    rig.state("front", ModemState.ABSENT)
    locked(rig, "front", "the SIM is locked: SIM PUK")
    assert (rig.sim(sim_id)["state"], rig.sim(sim_id)["why"]) == (
        "blocked",
        "the SIM is locked: SIM PUK",
    )
    rig.attach("back", sim=SIM)
    assert (rig.sim(sim_id)["state"], rig.sim(sim_id)["why"]) == ("working", None)


def test_sim_that_was_never_seen_before_may_be_blocked(rig: Rig) -> None:
    locked(rig, "front", "the SIM refused the PIN")
    assert rig.sim(1)["state"] == "blocked"
    locked(rig, "front", "no SIM is inserted", sim=None)
    assert rig.sim(1)["state"] == "blocked"


def test_sim_that_works_in_another_modem_is_not_blocked(rig: Rig) -> None:
    sim_id = rig.attach("front", sim=SIM)
    locked(rig, "back", "its SIM is the one of modem front")
    assert rig.sim(sim_id)["state"] == "working"
    message_id = rig.add()
    assert rig.must_claim("front").message_id == message_id


def test_sim_that_rests_goes_on_resting_when_it_is_locked_meanwhile(rig: Rig) -> None:
    sim_id = rig.attach("front", sim=SIM)
    with rig.db.write() as tx:
        modems.set_sim_state(tx, sim_id, SimState.RESTING, "?", resting_until=rig.after(60))
    rig.state("front", ModemState.ABSENT)
    locked(rig, "front", "the SIM needs a PIN")
    assert rig.sim(sim_id)["resting_until"] == rig.after(60)


def test_sim_and_device_of_a_modem_stay_known_while_it_is_away(rig: Rig) -> None:
    sim_id = rig.attach("front", sim=SIM, imei="356938035643809")
    rig.restart()
    rig.state("front", ModemState.ABSENT)
    row = modems.get(rig.db, "front")
    assert row is not None
    assert (row["sim_id"], row["imei"]) == (sim_id, "356938035643809")

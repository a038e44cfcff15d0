# SPDX-License-Identifier: Apache-2.0
"""Two modems that are two ports of one device: each would delete what the other has not read."""

from __future__ import annotations

import pytest
from gateway_support import Rig

from gsmgw.errors import SimError
from gsmgw.model import ModemReport, ModemState
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


def test_modems_that_share_an_imei_and_tell_nothing_of_their_sims_are_two(rig: Rig) -> None:
    for name in ("front", "back"):
        rig.dispatcher.attach(name, ModemReport(name, ModemState.OPENING, imei="356938035643809"))
        rig.state(name, ModemState.READY)

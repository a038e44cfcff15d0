# SPDX-License-Identifier: Apache-2.0
"""SIMs in modems: one that is seen through two ports, one that a person must see to."""

from __future__ import annotations

from collections.abc import Mapping

from gsmgw.errors import SimError
from gsmgw.model import ModemReport, ModemState, SimIdentity, SimState
from gsmgw.store import modems
from gsmgw.store.database import Row, Transaction

#: A modem in one of these states has answered a moment ago.
UP = (ModemState.OPENING, ModemState.SEARCHING, ModemState.READY)


def refuse_second_port(
    modem: str, sim_id: int | None, sim: SimIdentity, held: Mapping[str, int | None]
) -> None:
    """Refuse a modem whose SIM another one has.

    Where the SIM tells nothing of itself it is known by the IMEI, which cheap modems share: then
    nothing is refused.

    Args:
        modem: its name.
        sim_id: its SIM in the store.
        sim: what the SIM tells of itself.
        held: the SIMs of modems that answer, by the modem's name.

    Raises:
        SimError: both are ports of one device; each would delete what the other has not read yet.
    """
    if sim.iccid is None and sim.imsi is None:
        return
    for name, other in held.items():
        if name != modem and other == sim_id:
            raise SimError(
                f"its SIM is the one of modem {name}: two ports of one device, or a SIM that was"
                " moved just now; configure one port of a device"
            )


def block(tx: Transaction, report: ModemReport, held: Mapping[str, int | None]) -> None:
    """Mark a SIM that keeps its modem from coming up: wrong PIN, PUK, locked to a network."""
    sim = report.sim
    if report.state is not ModemState.NEEDS_PIN or sim is None:
        return
    key = modems.sim_key(sim.iccid, sim.imsi, None)
    if key is None:
        return
    sim_id = modems.ensure_sim(tx, key, sim.iccid, sim.imsi)
    row = modems.get_sim(tx, sim_id)
    if sim_id not in held.values() and row is not None and row["state"] != SimState.RESTING:
        modems.set_sim_state(tx, sim_id, SimState.BLOCKED, report.why)


def unblock(tx: Transaction, sim_id: int | None) -> None:
    """Mark a SIM as working that a person has seen to: its modem has come up with it."""
    row = None if sim_id is None else modems.get_sim(tx, sim_id)
    if row is not None and row["state"] == SimState.BLOCKED:
        modems.set_sim_state(tx, row["id"], SimState.WORKING, None)


def may_count_anew(before: Row | None, report: ModemReport, sim_id: int) -> bool:
    """Tell whether a SIM stands in another device than it did, or that one was without power."""
    if before is None or before["sim_id"] != sim_id:
        return True
    if report.power and before["power"] and report.power != before["power"]:
        return True
    return bool(report.imei and before["imei"] and report.imei != before["imei"])

# SPDX-License-Identifier: Apache-2.0
"""Runs the lines that people send to a modem through the command line, between parts.

Threads and locks. None; belongs to the modem's thread.

On failure. Every order gets an answer or an error in words, also where the modem is not there.
"""

from __future__ import annotations

from gsmgw import logs
from gsmgw.errors import ModemError, ModemSilentError, PortLostError
from gsmgw.model import CommandKind
from gsmgw.modem import gateway_port
from gsmgw.modem.duties import station

_log = logs.get("modem")

#: The store is asked for orders so often at most.
_ASK_EVERY_S = 0.25


class Orders:
    """The orders for one modem."""

    def __init__(self, at: station.Station) -> None:
        self._name = at.name
        self._drive = at.drive
        self._talk = at.talk
        self._gateway = at.gateway
        self._clock = at.clock
        self._ask_at = float("-inf")

    def run_one(self) -> bool:
        """Run an order and return whether there was one; blocks as long as it takes.

        Raises:
            StoreError: the answer could not be recorded.
            ModemSilentError, PortLostError: after the order got its error.
        """
        order = self._next()
        if order is None:
            return False
        _log.info("command.run", modem=self._name, kind=order.kind)
        try:
            answer = self._run(order)
        except ModemError as error:
            self._gateway.command_done(order.command_id, "", str(error))
            if isinstance(error, ModemSilentError | PortLostError):
                raise
            return True
        self._gateway.command_done(order.command_id, answer, None)
        return True

    def refuse_one(self, why: str) -> None:
        """Answer an order with an error: the modem cannot be spoken to."""
        order = self._next()
        if order is not None:
            self._gateway.command_done(order.command_id, "", why)

    def _next(self) -> gateway_port.ModemCommand | None:
        now = self._clock.monotonic()
        if now < self._ask_at:
            return None
        order = self._gateway.next_command(self._name)
        self._ask_at = now + (_ASK_EVERY_S if order is None else 0.0)
        return order

    def _run(self, order: gateway_port.ModemCommand) -> str:
        if order.kind == CommandKind.AT:
            return self._drive.run_line(order.line)
        # Imported when first needed: the library costs start-up time and most installations never
        # ask a service code.
        from gsmgw.modem import device

        library = device.Device(self._talk, huawei=self._drive.facts.profile.name == "huawei")
        if order.kind == CommandKind.USSD:
            return library.ask_service(order.line).text or ""
        self._drive.look()
        return "\n".join(f"{name}: {value}" for name, value in library.describe().items())

# SPDX-License-Identifier: Apache-2.0
"""Unlocks a SIM with its PIN, and never locks one.

Theory of operation. A SIM counts wrong PINs and wants its PUK after the third. So a PIN is sent
only when the modem says exactly `SIM PIN`, only if the gateway has recorded that this value was
never tried on this SIM (it records before it answers), and only if the modem, where it tells, has
more than one try left. Whether it was right is told to the gateway; a modem that falls silent in
the middle leaves the record as it is, so there is no second try until a person writes another PIN.

On failure. `SimError` says in words what a person must do; nothing was sent, or it was refused.
"""

from __future__ import annotations

from pathlib import Path

from gsmgw import clock, logs
from gsmgw.at import sim
from gsmgw.errors import SimError
from gsmgw.modem import dialogue, gateway_port, initialise

_log = logs.get("modem")

_READY = "READY"
_WANTS_PIN = "SIM PIN"
#: The SIM checks a PIN in a second or two; the modem then reads the whole SIM, seconds.
_TRY_TIMEOUT_S = 30.0
_READY_WITHIN_S = 10.0
#: Fewer tries than this left, and the last ones are kept for a person.
_FEWEST_TRIES = 2
#: CME 10 not inserted, 13 failure, 15 wrong (27.007 9.2).
_NO_SIM = {10: "no SIM is inserted", 13: "the SIM does not work", 15: "this SIM cannot be used"}


class Unlocker:
    """Sees to the PIN of one modem; lives as long as its worker."""

    def __init__(
        self,
        talk: dialogue.Dialogue,
        gateway: gateway_port.Gateway,
        *,
        name: str,
        pin_file: str | None,
        now: clock.Clock,
    ) -> None:
        self._talk = talk
        self._gateway = gateway
        self._name = name
        self._pin_file = pin_file
        self._clock = now
        self._trying: str | None = None  #: SIM of a try whose result we never saw
        self._seen: tuple[int, ...] | None = None  #: the PIN file as it was when it was read

    def has_another_pin(self) -> bool:
        """Return whether the PIN file was written since the last look at the SIM."""
        return self._look_at_file() != self._seen

    def _look_at_file(self) -> tuple[int, ...] | None:
        if self._pin_file is None:
            return None
        try:
            found = Path(self._pin_file).stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    def unlock(self, run: initialise.Initialiser, facts: initialise.Facts) -> None:
        """Return when the SIM is ready; blocks up to a minute.

        Raises:
            SimError: a person must act.
            ModemSilentError: no answer; a PIN that was sent counts as tried.
            PortLostError: the port is gone; likewise.
        """
        self._seen = self._look_at_file()
        state = self._ask_state(run)
        if state == _READY:
            if self._trying is not None and self._trying == facts.sim_key:
                self._gateway.pin_accepted(self._trying)
            self._trying = None
            return
        if state != _WANTS_PIN:
            raise SimError(f"the SIM is locked: {state}; unlock it in a phone")
        self._try(run, facts)

    def _ask_state(self, run: initialise.Initialiser) -> str:
        reply = run.ask(initialise.Step(("AT+CPIN?",), prefixes=("+CPIN:",)))
        if reply.ok and reply.first is not None:
            return sim.parse_pin_state(reply.first)
        if reply.ok:
            self._talk.doubt()
            raise SimError("the modem does not say whether the SIM needs a PIN")
        why = _NO_SIM.get(reply.final.code or 0, "no SIM, or one that the modem cannot read")
        raise SimError(f"{why} ({reply.final.text})")

    def _try(self, run: initialise.Initialiser, facts: initialise.Facts) -> None:
        pin = self._read_pin()
        key = facts.sim_key
        if key is None:
            raise SimError("neither ICCID nor IMEI can be read, so no PIN is tried")
        tries = ask_tries(run, facts)
        if tries is not None and tries < _FEWEST_TRIES:
            raise SimError(f"the SIM has {tries} tries left for its PIN; enter it in a phone")
        if not self._gateway.may_try_pin(key, pin):
            raise SimError(
                f"the PIN in {self._pin_file} was tried on this SIM before and is not tried again;"
                " write the right one there"
            )
        _log.info("pin.tried", modem=self._name, tries_left=tries)
        self._trying = key
        reply = self._talk.command(f'AT+CPIN="{pin}"', timeout_s=_TRY_TIMEOUT_S, secret=True)
        self._trying = None
        if not reply.ok:
            self._gateway.pin_refused(key)
            raise SimError(
                f"the SIM refused the PIN in {self._pin_file}; write the right one there"
            )
        self._gateway.pin_accepted(key)
        self._await_ready(run)

    def _read_pin(self) -> str:
        if self._pin_file is None:
            raise SimError("the SIM needs a PIN and none is configured (pin_file)")
        try:
            pin = Path(self._pin_file).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no plain text"
            raise SimError(f"the PIN file {self._pin_file} cannot be read: {reason}") from error
        # A PIN has 4 to 8 digits (3GPP TS 51.011 9.3).
        if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
            raise SimError(f"the PIN file {self._pin_file} does not hold 4 to 8 digits")
        return pin

    def _await_ready(self, run: initialise.Initialiser) -> None:
        deadline = self._clock.monotonic() + _READY_WITHIN_S
        while self._ask_state(run) != _READY:
            if self._clock.monotonic() > deadline:
                raise SimError("the SIM took the PIN and wants more; look at it in a phone")
            self._talk.wait(0.3)


def ask_tries(run: initialise.Initialiser, facts: initialise.Facts) -> int | None:
    """Return how many tries the SIM leaves for its PIN; None where the modem does not tell.

    Raises:
        ModemSilentError, PortLostError: from below.
    """
    for command in facts.profile.pin_tries:
        reply = run.ask(initialise.Step((command,), prefixes=None))
        for line in reply.lines if reply.ok else ():
            tries = sim.parse_pin_tries(line)
            if tries is not None:
                return tries
    return None

# SPDX-License-Identifier: Apache-2.0
"""What gsmgw does with a modem: initialise, submit a part, look at signal and network, hang up.

Theory of operation. A driver turns wishes into dialogue and replies into records of `model`. It
keeps what was learnt about modem and SIM in `report`; it decides nothing about the modem's life,
that is the worker's.

The outcome of a submit comes from three facts: whether Ctrl-Z was written, the final result, and
what the table in `at.codes` says about its code. Before Ctrl-Z nothing was sent: a code that says
no for sure is a refusal, everything else leaves the part untouched. After it only a table entry
"surely not taken" is a refusal; silence, a bare ERROR and unknown codes are uncertain.

Threads and locks. None; belongs to the modem's thread.
"""

from __future__ import annotations

import dataclasses

from gsmgw import clock, logs, pdu
from gsmgw.at import codes, masking, network, replies, sim, sorting
from gsmgw.errors import CommandFailedError, ModemError, PortLostError
from gsmgw.model import (
    ErrorFamily,
    InboundPdu,
    ModemReport,
    ModemState,
    Outcome,
    PartToSend,
    SimIdentity,
    SubmitResult,
)
from gsmgw.modem import (
    dialogue,
    exchange,
    gateway_port,
    initialise,
    memories,
    pin,
    profiles,
    settings,
)

_log = logs.get("modem")

#: A modem that refuses a validity period says "invalid PDU mode parameter" or 305 for text mode.
_VALIDITY_REFUSED = frozenset({304, 305})
#: AT+CMMS=1 ends by itself 1 to 5 s after the last answer (27.005 3.5.6); within the shorter time
#: it need not be said again.
_LINK_KEPT_S = 1.0
#: The network repeats a message that is not acknowledged in time; then AT+CNMA would be refused, or
#: acknowledge the repeat (27.005 3.4.4 gives no time; networks wait some 15 s).
ACKNOWLEDGE_WITHIN_S = 10.0
_NETWORK_TIMEOUT_S = 30.0
#: CME 10 SIM not inserted, 11 PIN required, 12 PUK required, 13 SIM failure (27.007 9.2).
_SIM_CODES = frozenset({10, 11, 12, 13})


class Driver:
    """Drives one modem over its dialogue."""

    def __init__(
        self,
        talk: dialogue.Dialogue,
        gateway: gateway_port.Gateway,
        wanted: settings.Settings,
        now: clock.Clock,
    ) -> None:
        self._talk = talk
        self._gateway = gateway
        self._wanted = wanted
        self._clock = now
        self._unlocker = pin.Unlocker(
            talk, gateway, name=wanted.name, pin_file=wanted.pin_file, now=now
        )
        self._without_validity: set[str | None] = set()  #: IMEIs of modems that refuse TP-VP
        self._told_no_centre = False
        self._keeps_link = True  #: the modem knows AT+CMMS
        self._link_kept_until: float | None = None
        self.has_restarted = False  #: before the last initialisation, without a word
        self.sim_lost = False  #: the SIM was taken out or locked since initialisation
        self.lost: PortLostError | None = None  #: the last submit ended with the port
        self.facts = initialise.Facts()
        self.memories = memories.Memories(talk, gateway, wanted.name)
        self.report = ModemReport(wanted.name, ModemState.ABSENT)

    # -- coming up --------------------------------------------------------------------------------

    def initialise(self) -> None:
        """Bring the modem to a known state and fill `facts` and `report`; blocks up to a minute.

        Raises:
            SimError: a person must see to the SIM.
            CommandFailedError: a required step was refused.
            ModemSilentError: the modem does not answer.
            PortLostError: the port is gone.
        """
        facts = self.facts = initialise.Facts()
        self.sim_lost = False
        run = initialise.Initialiser(self._talk, self._clock)
        if not self._talk.in_step:
            self._talk.resynchronise()
        # A restart that was told before now is what this initialisation is for.
        self._talk.drop_unsolicited(lambda one: replies.is_restart(one.text))
        # It was told ATE0 and has forgotten it, and all else.
        self.has_restarted = self._talk.take_echoed() and self._talk.is_quiet
        run.run(initialise.WHO[:1], facts)
        self._talk.take_echoed()  # of ATE0 itself
        run.run(initialise.WHO[1:], facts)
        facts.echoes = self._talk.take_echoed()
        self._talk.is_quiet = not facts.echoes
        facts.profile = profiles.choose(facts.manufacturer, facts.model, self._wanted.profile)
        initialise.read_iccid(run, facts)
        self._tell()
        self._unlocker.unlock(run, facts)
        if facts.iccid is None:
            initialise.read_iccid(run, facts)  # some modems do not read it before the PIN
        run.run(initialise.MESSAGES, facts)
        run.run(tuple(initialise.Step((line,)) for line in facts.profile.extra), facts)
        initialise.choose_notices(run, facts, self._wanted.delivery)
        if facts.notices is None:
            _log.warning("modem.unannounced", modem=self._wanted.name)
        self._keeps_link = True
        self._link_kept_until = None
        self.memories.begin(facts.memories)
        self.restore_service_centre()
        self._tell()

    def has_another_pin(self) -> bool:
        """Return whether the PIN file was written since the last look at the SIM."""
        return self._unlocker.has_another_pin()

    def _tell(self) -> None:
        facts = self.facts
        self.report = dataclasses.replace(
            self.report,
            imei=facts.imei,
            manufacturer=facts.manufacturer,
            model=facts.model,
            firmware=facts.firmware,
            profile=facts.profile.name,
            registration=facts.registration,
            sim=SimIdentity(facts.iccid, facts.imsi),
            service_centre=facts.service_centre,
        )

    def restore_service_centre(self) -> None:
        """Give the SIM its service centre number again if it has none, or not the configured one.

        Raises:
            ModemSilentError, PortLostError: as any command.
        """
        facts = self.facts
        wanted = self._wanted.service_centre
        if wanted is None and facts.service_centre is None:
            wanted = self._gateway.remembered_service_centre(SimIdentity(facts.iccid, facts.imsi))
        if wanted is None and facts.service_centre is None and not self._told_no_centre:
            self._told_no_centre = True
            _log.warning("service_centre.missing", modem=self._wanted.name)
        if wanted is None or wanted == facts.service_centre:
            return
        kind = 145 if wanted.startswith("+") else 129
        reply = self._talk.command(f'AT+CSCA="{wanted}",{kind}')
        if reply.ok:
            _log.warning("service_centre.restored", modem=self._wanted.name)
            self._told_no_centre = False
            facts.service_centre = wanted
            self._tell()

    def check_service_centre(self) -> None:
        """Read the service centre number anew and restore it if it has vanished."""
        reply = self._talk.command("AT+CSCA?", prefixes=("+CSCA:",))
        if reply.ok:
            initialise.take_service_centre(self.facts, reply.lines)
            self.restore_service_centre()

    # -- sending ----------------------------------------------------------------------------------

    def submit(self, part: PartToSend) -> SubmitResult:
        """Submit one part; blocks until the modem answers, or the time for the result is over.

        Never raises for what the modem does; whether it ended with a lost port stands in `lost`.
        """
        if self.facts.imei in self._without_validity or not self.facts.profile.takes_validity:
            return self._submit_once(part, pdu.without_validity(part.tpdu) or part.tpdu)
        result = self._submit_once(part, part.tpdu)
        short = pdu.without_validity(part.tpdu) if _refuses_validity(result) else None
        if short is None:
            return result
        second = self._submit_once(part, short)
        if second.outcome is Outcome.TAKEN:
            _log.info("modem.refuses_validity", modem=self._wanted.name)
            self._without_validity.add(self.facts.imei)
        return second

    def _submit_once(self, part: PartToSend, tpdu: bytes) -> SubmitResult:
        whole = pdu.encode_service_centre(part.service_centre) + tpdu
        if part.more_follow:
            self._keep_link()
        kept = self._link_is_kept()
        answer = self._talk.submit(
            whole.hex().upper(), len(tpdu), timeout_s=self._wanted.result_timeout_s
        )
        self._link_kept_until = self._clock.monotonic() + _LINK_KEPT_S if kept else None
        self.lost = answer.error if isinstance(answer.error, PortLostError) else None
        return result_of(part.part_id, answer)

    def _keep_link(self) -> None:
        """Ask to keep the radio link open for the parts that follow; never raises."""
        if not self._keeps_link or self._link_is_kept():
            return
        try:
            self._keeps_link = self._talk.command("AT+CMMS=1").ok
        except ModemError as error:
            _log.debug("modem.link", modem=self._wanted.name, error=logs.masked(error))
            return
        self._link_kept_until = self._clock.monotonic() + _LINK_KEPT_S

    def _link_is_kept(self) -> bool:
        until = self._link_kept_until
        return until is not None and self._clock.monotonic() < until

    # -- receiving --------------------------------------------------------------------------------

    def take_direct(self, heard: sorting.Unsolicited) -> None:
        """Hand over a +CMT, +CDS or +CBM that came with its PDU, then acknowledge it.

        A status report that the network has not to repeat counts as deleted: without references,
        reports on two parts can be alike, and the next one alike is another.

        Raises:
            StoreError: not stored, not acknowledged; the network repeats it.
            ModemSilentError, PortLostError: as any command.
        """
        if heard.pdu is None:
            return
        came_at = self._clock.monotonic()
        received_id = self._gateway.received(InboundPdu(self._wanted.name, heard.pdu))
        late = self._clock.monotonic() - came_at > ACKNOWLEDGE_WITHIN_S
        kind = replies.head(heard.text)
        is_known = not self.facts.acknowledges  # the modem has acknowledged it by itself
        if self.facts.acknowledges and not late and kind != "+CBM":
            is_known = self._talk.command("AT+CNMA").ok
        if is_known and kind == "+CDS":
            self._gateway.deleted(received_id)

    def renew_notices(self) -> None:
        """Switch direct delivery on again, which the modem ends by itself without AT+CNMA in time.

        27.005 3.4.1: it then stores what comes and says nothing, for as long as nobody asks.

        Raises:
            ModemSilentError, PortLostError: as any command.
        """
        if self.facts.acknowledges and self.facts.notices is not None:
            self._talk.command(f"AT+CNMI={self.facts.notices}")

    # -- looking ----------------------------------------------------------------------------------

    def look(self) -> None:
        """Ask for signal, registration and operator, and where not registered for the SIM.

        Three or four commands.

        Raises:
            ModemSilentError, PortLostError: as any command.
        """
        signal = self._value("AT+CSQ", "+CSQ:")
        registration = network.parse_registration(self._value("AT+CREG?", "+CREG:") or "")
        operator = self._value("AT+COPS?", "+COPS:", timeout_s=_NETWORK_TIMEOUT_S)
        if registration is not None:
            self.facts.registration = registration.status
        if not self.registered:
            state = self._value("AT+CPIN?", "+CPIN:")
            self.sim_lost |= state is not None and sim.parse_pin_state(state) != "READY"
        self.report = dataclasses.replace(
            self.report,
            signal_dbm=network.parse_signal(signal) if signal else None,
            registration=self.facts.registration,
            operator=network.parse_operator(operator) if operator else None,
            storages=dict(self.memories.fill),
        )

    def _value(self, command: str, prefix: str, *, timeout_s: float | None = None) -> str | None:
        reply = self._talk.command(
            command, prefixes=(prefix,), timeout_s=timeout_s or dialogue.COMMAND_TIMEOUT_S
        )
        if reply.final.kind is replies.FinalKind.CME and reply.final.code in _SIM_CODES:
            self.sim_lost = True
        if reply.ok and not reply.lines:
            # OK without the value is the answer to something else.
            self._talk.doubt()
        return reply.first if reply.ok else None

    def note_registration(self, text: str) -> bool:
        """Take an unsolicited +CREG; return whether it said something."""
        found = network.parse_registration(text)
        if found is None:
            return False
        self.facts.registration = found.status
        self.report = dataclasses.replace(self.report, registration=found.status)
        return True

    @property
    def registered(self) -> bool:
        """Return whether the modem is registered, as far as last heard.

        A modem that does not say (AT+CREG refused) counts as registered: refusals tell later.
        """
        status = self.facts.registration
        return status is None or status in network.REGISTERED

    def last_reference(self) -> int | None:
        """Return the last TP-MR used, from EF_SMSS, where the profile knows that it counts."""
        if not self.facts.profile.smss:
            return None
        reply = self._talk.command(profiles.SMSS_FILE, prefixes=("+CRSM:",))
        file = sim.parse_sim_file(reply.first) if reply.ok and reply.first else None
        return sim.last_reference(file) if file is not None else None

    # -- calls and commands -----------------------------------------------------------------------

    def hang_up(self) -> None:
        """End a ringing call; the profile's commands in order until one is taken."""
        for command in self.facts.profile.hang_up:
            if self._talk.command(command).ok:
                break
        self._talk.end_call()

    def run_line(self, line: str) -> str:
        """Send a line as a person wrote it and return the answer's lines, the final one last.

        Raises:
            CommandFailedError: the line would open a prompt or is no AT command.
            ModemSilentError, PortLostError: as any command.
        """
        wanted = line.strip()
        if not wanted.upper().startswith("AT") or _opens_prompt(wanted):
            raise CommandFailedError(masking.mask(wanted))
        self.memories.unselect()
        reply = self._talk.command(wanted, prefixes=None, timeout_s=_NETWORK_TIMEOUT_S)
        return "\n".join([*reply.lines, reply.final.text])


def _opens_prompt(line: str) -> bool:
    """Return whether a line would make the modem wait for message text."""
    upper = line.upper()
    return any(
        f"{name}=" in upper and f"{name}=?" not in upper for name in ("+CMGS", "+CMGW", "+CMGC")
    )


def _refuses_validity(result: SubmitResult) -> bool:
    return (
        result.outcome is Outcome.REFUSED
        and result.family is ErrorFamily.CMS
        and result.code in _VALIDITY_REFUSED
    )


def result_of(part_id: int, answer: exchange.Answer, *, proof: str = "answer") -> SubmitResult:
    """Return what an answer of the dialogue means for its part."""
    final = answer.final
    if answer.taken:
        return SubmitResult(
            part_id, Outcome.TAKEN, answer.reference, proof=proof, shared=answer.shared
        )
    if final is None:
        outcome = Outcome.UNCERTAIN if answer.submitted else Outcome.UNTOUCHED
        return SubmitResult(part_id, outcome, detail=str(answer.error or ""), proof=proof)
    family, code = _code_of(final)
    if code is not None and code.taken:
        outcome = Outcome.TAKEN if answer.submitted else Outcome.UNTOUCHED
    elif code is not None and code.taken is False:
        outcome = Outcome.REFUSED
    else:
        outcome = Outcome.UNCERTAIN if answer.submitted else Outcome.UNTOUCHED
    return SubmitResult(
        part_id,
        outcome,
        family=family,
        code=final.code,
        detail=masking.mask(final.text),
        proof=proof,
        shared=answer.shared and answer.is_networks,
    )


def _code_of(final: replies.Final) -> tuple[ErrorFamily | None, codes.Code | None]:
    if final.kind is replies.FinalKind.CMS:
        return ErrorFamily.CMS, codes.cms(final.code)
    if final.kind is replies.FinalKind.CME:
        return ErrorFamily.CME, codes.cme(final.code)
    return None, None

# SPDX-License-Identifier: Apache-2.0
"""The library's modem over our dialogue: service codes, calls, tones, call forwarding, identity.

Theory of operation. python-gsmmodem-new knows much about modems beyond messages. Here its GsmModem
gets a `write` that goes through our dialogue, so that its own port, reader thread, `connect` and
message functions are never used. What it would wait for in another thread (the answer of a service
code) is awaited inside `write` and given to it as part of the reply, in the one form that it reads.

Its errors end here: `_ERRORS` says for each class what it becomes. This is the only module that
imports the library.

Threads and locks. None; belongs to the modem's thread. The library starts no thread on these paths:
calls are dialled without its waiting for updates, and followed with AT+CLCC when asked.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import gsmmodem.exceptions as library_errors
from gsmmodem.modem import Call, GsmModem

from gsmgw.at import fields, masking, network, replies, sim
from gsmgw.errors import CommandFailedError, ModemError, SimError
from gsmgw.modem import dialogue
from gsmgw.pdu import alphabet

#: Networks answer a service code within some ten seconds, menus within a minute.
SERVICE_TIMEOUT_S = 30.0
#: Commands whose answer has no prefix.
_FREE = re.compile(r"AT(\+CGM[IMR]|\+CGSN|\+CIMI|\+GM[IMR]|\+GSN)$")
_NAME = re.compile(r"AT([+^$*][A-Z]+)")


class _Library(GsmModem):
    """GsmModem whose commands go through our dialogue."""

    def __init__(self, talk: dialogue.Dialogue) -> None:
        super().__init__(port=None)
        self._talk = talk
        self._commands: list[str] = []
        self._waitForCallInitUpdate = False
        self.alive = True

    def write(
        self,
        data: str,
        waitForResponse: bool = True,  # noqa: N803
        timeout: float = dialogue.COMMAND_TIMEOUT_S,
        parseError: bool = True,  # noqa: N803
        writeTerm: str = "\r",  # noqa: ARG002, N803
        expectedResponseTermSeq: str | None = None,  # noqa: N803
    ) -> list[str] | None:
        """Send one command through the dialogue, in the library's manner."""
        if expectedResponseTermSeq is not None:
            raise library_errors.InvalidStateException("prompts are not for the library")
        is_service = data.startswith("AT+CUSD=1")
        if is_service:
            self._forget_service_texts()
        reply = self._talk.command(data, prefixes=_prefixes_of(data), timeout_s=timeout)
        if parseError:
            _raise_in_the_librarys_manner(data, reply.final)
        lines = [*_clean(data, reply.lines), reply.final.text]
        if is_service and reply.ok:
            lines.insert(0, self._await_service_text(timeout))
        return lines if waitForResponse else None

    def _forget_service_texts(self) -> None:
        """Drop answers to an earlier code that came too late: they answer no other code."""
        self._talk.wait(0.0)
        while self._talk.await_unsolicited("+CUSD", 0.0) is not None:
            pass

    def _await_service_text(self, timeout_s: float) -> str:
        answer = self._talk.await_unsolicited("+CUSD", timeout_s)
        if answer is None:
            raise library_errors.TimeoutException
        found = network.parse_service_text(answer.text)
        if found is None:
            raise library_errors.EncodingError(answer.text)
        if found.text is None and found.status > 1:
            raise library_errors.InvalidStateException(_REFUSALS.get(found.status, "ended"))
        text = decode_service_text(found).replace('"', "'")
        return f'+CUSD: {found.status},"{text}",15'


#: <m> of +CUSD (27.007 7.15) without a text.
_REFUSALS = {
    2: "the network ended the dialogue",
    3: "another program has answered",
    4: "the network does not know this code",
    5: "the network did not answer in time",
}


def _prefixes_of(command: str) -> tuple[str, ...] | None:
    if command.startswith("AT+CUSD"):
        return ()
    if _FREE.match(command):
        return None
    name = _NAME.match(command)
    return (f"{name[1]}:",) if name else ()


def _clean(command: str, lines: tuple[str, ...]) -> list[str]:
    """Return the lines of an answer; of one without prefix only the line that is it.

    The library takes the first line for the answer, be it noise.
    """
    if not _FREE.match(command):
        return list(lines)
    if command in ("AT+CGSN", "AT+GSN"):
        found = sim.parse_imei(lines)
    elif command == "AT+CIMI":
        found = sim.parse_imsi(lines)
    else:
        found = sim.parse_name(lines, command.removeprefix("AT"))
    return [found or ""]


def _raise_in_the_librarys_manner(command: str, final: replies.Final) -> None:
    if final.ok:
        return
    if final.kind is replies.FinalKind.CME and final.code is not None:
        raise library_errors.CmeError(command, final.code)
    if final.kind is replies.FinalKind.CMS and final.code is not None:
        raise library_errors.CmsError(command, final.code)
    raise library_errors.CommandError(f"{command} ({final.text})")


def _as_failed(error: library_errors.CommandError) -> ModemError:
    command = masking.mask(str(error.command or "the command"))
    return CommandFailedError(command, error.type or "ERROR", error.code)


#: What each of the library's errors becomes; the first class that fits counts.
_ERRORS = (
    (library_errors.PinRequiredError, lambda _: SimError("the SIM needs its PIN")),
    (library_errors.IncorrectPinError, lambda _: SimError("the SIM refused the PIN")),
    (library_errors.PukRequiredError, lambda _: SimError("the SIM needs its PUK")),
    (library_errors.SecurityException, lambda error: SimError(str(error))),
    (library_errors.CommandError, _as_failed),
    (library_errors.TimeoutException, lambda _: ModemError("the network did not answer")),
    (library_errors.GsmModemException, lambda error: ModemError(masking.mask(str(error)))),
)


def translate(error: library_errors.GsmModemException) -> ModemError:
    """Return our error for one of the library's."""
    for kind, make in _ERRORS:
        if isinstance(error, kind):
            return make(error)
    return ModemError(masking.mask(str(error)))


@contextlib.contextmanager
def _border() -> Iterator[None]:
    try:
        yield
    except library_errors.GsmModemException as error:
        raise translate(error) from error


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What the network said to a service code."""

    text: str | None
    waits_for_reply: bool  #: a menu: answer with `ask_service` again


class Device:
    """What the library does for us; every method blocks until the modem or network answers.

    All methods raise `ModemSilentError` and `PortLostError` as any command, `CommandFailedError`
    when refused, `SimError` where the SIM is locked, and `ModemError` for the rest.
    """

    def __init__(self, talk: dialogue.Dialogue, *, huawei: bool = False) -> None:
        self._library = _Library(talk)
        self._huawei = huawei

    def describe(self) -> dict[str, str]:
        """Return what modem and SIM say of themselves; what is not told is left out."""
        found: dict[str, str] = {}
        for name, attribute in (
            ("manufacturer", "manufacturer"),
            ("model", "model"),
            ("firmware", "revision"),
            ("imei", "imei"),
            ("imsi", "imsi"),
            ("operator", "networkName"),
            ("signal", "signalStrength"),
            ("service_centre", "smsc"),
        ):
            with contextlib.suppress(CommandFailedError, SimError), _border():
                value = getattr(self._library, attribute)
                if value not in (None, ""):
                    found[name] = str(value)
        return found

    def ask_service(self, code: str, timeout_s: float = SERVICE_TIMEOUT_S) -> ServiceAnswer:
        """Send a service code (`*100#`), or the reply to a menu, and return the network's text.

        A modem that refuses the code in plain letters gets it as packed 7-bit (Huawei E1xx).
        """
        with _border():
            try:
                answer = self._library.sendUssd(code, responseTimeout=timeout_s)
            except (library_errors.CommandError, library_errors.InvalidStateException):
                answer = self._library.sendUssd(packed(code), responseTimeout=timeout_s)
        return ServiceAnswer(answer.message or None, bool(answer.sessionActive))

    def dial(self, number: str) -> Call:
        """Begin a voice call and return it; it is not answered yet."""
        with _border():
            call = self._library.dial(number, timeout=30)
            if self._huawei:
                # Of this call only: the library would change it for every modem.
                call.DTMF_COMMAND_BASE = "^DTMF={cid},"
            return call

    def follow(self, call: Call) -> bool:
        """Bring a call up to date and return whether it is answered; look at `call.active` too."""
        with _border():
            lines = self._library.write("AT+CLCC") or []
        calls = [found for found in map(network.parse_call, lines) if found is not None]
        ours = [found for found in calls if not found.incoming and found.voice]
        if not ours:
            call.active = False
            call.answered = False
            return False
        call.id = ours[0].index
        if ours[0].status == 0 and not call.answered:
            call.answered = True
        return bool(call.answered)

    def send_tones(self, call: Call, tones: str) -> None:
        """Send tones into an answered call."""
        with _border():
            call.sendDtmfTone(tones)

    def hang_up(self, call: Call) -> None:
        """End a call; nothing happens if it is over."""
        with _border():
            call.hangup()

    def forwarding(self, reason: int) -> str | None:
        """Return the number that calls are forwarded to for a reason (27.007 7.11), None if none.

        Args:
            reason: 0 always, 1 busy, 2 no reply, 3 not reachable.
        """
        with _border():
            lines = self._library.write(f"AT+CCFC={reason},2", timeout=SERVICE_TIMEOUT_S) or []
        for line in lines:
            found = fields.values(line)
            if line.upper().startswith("+CCFC") and fields.get(found, 0) == "1":
                return fields.get(found, 2) or None
        return None

    def set_forwarding(self, reason: int, number: str | None) -> None:
        """Forward calls to a number for a reason (see `forwarding`), or no more with None."""
        command = f"AT+CCFC={reason},4" if number is None else f'AT+CCFC={reason},3,"{number}"'
        with _border():
            self._library.write(command, timeout=SERVICE_TIMEOUT_S)


def packed(code: str) -> str:
    """Return a service code as packed 7-bit in hexadecimal (3GPP TS 23.038 6.1.2.3)."""
    septets = alphabet.encode_septets(code)
    if len(septets) % 8 == 7:
        septets += b"\r"  # else the spare bits would read as @
    return alphabet.pack(septets).hex().upper()


#: What networks write in 7-bit.
_PLAIN = re.compile(r"[ -~\r\n]*")


def decode_service_text(found: network.ServiceText) -> str:
    """Return the text of a +CUSD answer: plain, hexadecimal UCS-2, or packed 7-bit.

    The coding scheme decides where it is UCS-2 (23.038 5: 0x11 and 0x48 groups); hexadecimal digits
    under a 7-bit scheme are packed septets, unless they are a number: that gives no sense unpacked.
    """
    text = found.text or ""
    if not replies.is_hex(text, 4):
        return text
    octets = bytes.fromhex(text)
    if found.dcs is not None and (found.dcs == 0x11 or found.dcs & 0x4C == 0x48):
        return octets.decode("utf-16-be", "replace")
    is_number = text.isdecimal()
    if len(octets) % 2 == 0 and octets[0] <= 0x04 and found.dcs in (None, 0, 15):
        # Some Huawei sticks give UCS-2 whatever the scheme says; European letters begin so.
        wide = octets.decode("utf-16-be", "replace")
        if wide.isprintable() or not is_number:
            return wide
    septets = alphabet.unpack(octets, len(octets) * 8 // 7)
    unpacked = alphabet.decode_septets(septets).rstrip("\r")
    # Packed words without any A to F are rare, and numbers, such as one's own, make none.
    return text if is_number and not _PLAIN.fullmatch(unpacked) else unpacked

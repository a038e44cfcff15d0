# SPDX-License-Identifier: Apache-2.0
"""A modem that writes anything at all: every command ends, and the dialogue comes into step."""

from __future__ import annotations

import dataclasses
import random
import re
from collections import deque

import pytest
from fakes import FakeClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modem_gateway import MemoryGateway

from gsmgw.at import parser, sorting
from gsmgw.errors import ModemError, ModemSilentError
from gsmgw.modem import dialogue, memories

PDU = "07918405100092F0040B918405100002F00000621122010354400861F1985C369F01"
LENGTH = len(PDU) // 2 - 8

NOISE = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b">", b"> ", b"OK\r\n", b"ERROR\r\n", b"+CMGS: 7\r\n", b"\x1a",
         b"\x1b", b"\x00" * 50, b"\xff", b'"', b'+CUSD: 1,"', b"+CMS ERROR: 38\r\n",
         b"+CMT: ,25\r\n",
         PDU.encode() + b"\r\n", b"NO CARRIER\r\n", b"RING\r\n", b"+CMGL: 1,1,,26\r\n", b"RDY\r\n",
         b'+CMTI: "SM",99999999999999999999\r\n', b"+CMGS: " + b"9" * 5000 + b"\r\n", b"9" * 20000]
    )
    | st.binary(max_size=20),
    max_size=30,
).map(b"".join)  # fmt: skip


class NoisyLine:
    """A port without a device: time passes only while somebody waits."""

    def __init__(self, chance: random.Random, noise: bytes = b"") -> None:
        self.clock = FakeClock()
        self.chance = chance
        self.waiting: deque[bytes] = deque()
        self.noise = noise
        self.is_well = not noise
        self.answers: dict[str, bytes] = {}
        self.endless: bytes = b""
        self.written = 0
        self._typed = b""

    def read(self, timeout_s: float, wake_fd: int | None = None) -> bytes:
        if self.endless:
            self.clock.advance(0.1)
            return self.endless[:4096]
        if self.waiting:
            self.clock.advance(0.001)
            return self.waiting.popleft()
        self.clock.advance(max(timeout_s, 0.0001))
        return b""

    def write(self, octets: bytes) -> None:
        self.written += len(octets)
        self._typed += octets
        while (end := re.search(rb"[\r\x1a\x1b]", self._typed)) is not None:
            command, self._typed = self._typed[: end.start()], self._typed[end.end() :]
            self._obey(command.decode("latin-1"), end.group())

    def drain(self) -> None:
        self.clock.advance(0.0001)

    def _obey(self, command: str, end: bytes) -> None:
        if not self.is_well:
            at = self.chance.randint(0, len(self.noise))
            step = self.chance.randint(1, 4096)
            noise = self.noise[at:] + self.noise[:at]
            self.waiting.extend(noise[at : at + step] for at in range(0, len(noise), step))
            if self.chance.random() < 0.3:
                return
        if end == b"\x1b" or not command:
            return
        known = re.fullmatch(r"AT\+X=(\d+)", command)
        answer = f"\r\n+X: {known[1]}\r\n\r\nOK\r\n".encode() if known else b"\r\nOK\r\n"
        self.waiting.append(self.answers.get(command, answer))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(noise=NOISE, seed=st.integers(0, 2**32))
def test_every_command_ends_and_the_dialogue_comes_into_step(noise: bytes, seed: int) -> None:
    line = NoisyLine(random.Random(seed), noise)
    talk = dialogue.Dialogue(line, name="front", now=line.clock)  # type: ignore[arg-type]
    for number in range(6):
        began = line.clock.monotonic()
        try:
            if line.chance.random() < 0.3:
                talk.submit(PDU, LENGTH, timeout_s=5)
            else:
                talk.command(f"AT+X={number}", prefixes=("+X:",), timeout_s=5)
        except ModemError:
            assert not talk.in_step
        # Into step 8 s, prompt 10 s, result 5 s, and what may be waited for behind it.
        assert line.clock.monotonic() - began < 60
    _is_bounded(talk)
    line.is_well = True
    talk.doubt()
    for _ in range(3):
        try:
            talk.resynchronise()
            break
        except ModemSilentError:
            continue
    for number in range(100, 105):
        reply = talk.command(f"AT+X={number}", prefixes=("+X:",))
        assert reply.lines == (f"+X: {number}",)


def _is_bounded(talk: dialogue.Dialogue) -> None:
    assert len(talk.unsolicited) <= sorting.KEPT_UNSOLICITED
    assert len(talk.late) <= 20
    assert all(len(one.text) <= 20 * (parser.MAX_LINE + 1) for one in talk.unsolicited)


@pytest.mark.parametrize(
    "endless",
    [b"\x00" * 4096, b"9" * 4096, b"+CMGL: 1,1,,26\r\n" + PDU.encode() + b"\r\n", b">" * 4096,
     b"+CMGS: 7\r\n" * 100, b'+CUSD: 1,"' * 50 + b"\r\n", b"RING\r\n" * 100, b"\xff" * 4096,
     b"+CMT: ,26\r\n" + PDU.encode() + b"\r\n", b'+CMTI: "SM",1\r\n' * 100, b"OK\r\n" * 100,
     b"ERROR\r\n"],
    ids=lambda octets: repr(octets[:12]),
)  # fmt: skip
def test_a_modem_that_never_stops_fills_no_memory_and_holds_nobody(endless: bytes) -> None:
    line = NoisyLine(random.Random(1))
    talk = dialogue.Dialogue(line, name="front", now=line.clock)  # type: ignore[arg-type]
    talk.resynchronise()
    line.endless = endless
    for act in (
        lambda: talk.command("AT+CMGL=4", prefixes=("+CMGL:",), timeout_s=60),
        lambda: talk.submit(PDU, LENGTH, timeout_s=60),
        lambda: talk.listen(60),
        lambda: talk.resynchronise(),
    ):
        began = line.clock.monotonic()
        try:
            found = act()
        except ModemError:
            found = None
        assert line.clock.monotonic() - began < 200
        if isinstance(found, dialogue.Reply):
            assert sum(map(len, found.lines)) <= sorting.LONGEST_ANSWER
        _is_bounded(talk)


def test_a_million_octets_of_garbage_are_one_short_line() -> None:
    line = NoisyLine(random.Random(1))
    talk = dialogue.Dialogue(line, name="front", now=line.clock)  # type: ignore[arg-type]
    talk.resynchronise()
    garbage = bytes(line.chance.choice(b"abcxyz+:,\"'<9") for _ in range(4000)) * 250
    line.waiting.extend(garbage[at : at + 4096] for at in range(0, len(garbage), 4096))
    line.waiting.append(b"\r\n")
    while line.waiting:
        talk.wait(0.1)
    assert sum(len(one.text) for one in talk.unsolicited) <= parser.MAX_LINE
    assert talk.command("AT+X=1", prefixes=("+X:",)).lines == ("+X: 1",)


def test_an_index_that_no_database_holds_is_left_alone() -> None:
    line = NoisyLine(random.Random(1))
    talk = dialogue.Dialogue(line, name="front", now=line.clock)  # type: ignore[arg-type]
    gateway = MemoryGateway()
    listing = (
        f"+CMGL: {'9' * 30},1,,{LENGTH}\r\n{PDU}\r\n+CMGL: 7,1,,{LENGTH}\r\n{PDU}\r\n\r\nOK\r\n"
    )
    line.answers = {
        'AT+CPMS="SM"': b"\r\n+CPMS: 99999,999999999999999999999,1,2,3,4\r\n\r\nOK\r\n",
        "AT+CMGL=4": b"\r\n" + listing.encode(),
    }
    swept = memories.Memories(talk, gateway, "front")
    swept.begin(("SM",))
    swept.sweep("SM")
    assert [one.index for one in gateway.arrivals] == [7]


def test_a_modem_that_says_ok_to_all_and_lists_thousands_is_swept_in_small_pieces() -> None:
    line = NoisyLine(random.Random(1))
    talk = dialogue.Dialogue(line, name="front", now=line.clock)  # type: ignore[arg-type]
    gateway = MemoryGateway()
    entries = [
        f"+CMGL: {index},1,,{2**40}\r\n{PDU}{index:08X}\r\n".encode() for index in range(20_000)
    ]
    line.answers = {"AT+CMGL=4": b"\r\n" + b"".join(entries) + b"\r\nOK\r\n"}
    swept = memories.Memories(talk, gateway, "front")
    swept.begin(("SM",))
    assert not swept.sweep("SM")  # no length is right and no place holds what was listed
    assert gateway.arrivals == []
    entries = [
        f"+CMGL: {index},1,,{LENGTH}\r\n{PDU[:-8]}{index:08X}\r\n".encode()
        for index in range(20_000)
    ]
    line.answers = {"AT+CMGL=4": b"\r\n" + b"".join(entries) + b"\r\nOK\r\n"}
    for _ in range(3):
        written = line.written
        assert swept.sweep("SM")
        assert line.written - written < 1000
    assert len(gateway.arrivals) == 3 * memories.BATCH
    assert {dataclasses.astuple(one)[0] for one in gateway.arrivals} == {"front"}

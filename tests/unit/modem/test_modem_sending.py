# SPDX-License-Identifier: Apache-2.0
import contextlib
from contextlib import contextmanager

import pytest
from modem_gateway import MemoryGateway, make_part
from modem_support import PlayedModem

from gsmgw import clock
from gsmgw.errors import ModemError, PortLostError
from gsmgw.model import Outcome
from gsmgw.modem import dialogue, driver, exchange, port, settings
from gsmgw.modem.duties import sending, station


@contextmanager
def sender_of(results=None, answers=None, result_timeout_s=60.0):
    with PlayedModem(answers, results=results) as modem:
        line = port.Port(modem.path)
        line.open()
        now = clock.SystemClock()
        gateway = MemoryGateway()
        gateway.attached.append(None)
        talk = dialogue.Dialogue(line)
        wanted = settings.Settings("front", result_timeout_s=result_timeout_s)
        drive = driver.Driver(talk, gateway, wanted, now)
        at = station.Station(wanted, drive, talk, gateway, now)
        try:
            yield modem, gateway, sending.Sender(at), talk
        finally:
            line.close()


def test_a_part_that_was_being_submitted_is_never_given_back():
    """A worker that falls in the middle of a submit must not call the part untouched."""
    with sender_of() as (_modem, gateway, sender, talk):
        gateway.waiting.append(make_part(1))

        def fall(*_args, **_more):
            raise RuntimeError

        talk.submit = fall
        with pytest.raises(RuntimeError):
            sender.send_one(claim_next=True)
        sender.give_back("gsmgw stops")
        assert gateway.results == []
        assert gateway.sending is not None


def test_a_claimed_part_is_given_back():
    with sender_of() as (_modem, gateway, sender, _talk):
        gateway.waiting.extend([make_part(1), make_part(2)])
        assert sender.send_one(claim_next=True)
        gateway.busy = 1
        sender.give_back("gsmgw stops")
        assert len(gateway.results) == 1, "the gateway keeps it"
        gateway.flush("front")
        assert [result.outcome for result in gateway.results] == [Outcome.TAKEN, Outcome.UNTOUCHED]
        sender.give_back("nothing to give back")
        assert len(gateway.results) == 2


def test_the_port_lost_in_a_submit_is_uncertain_and_raised():
    with sender_of() as (modem, gateway, sender, talk):
        talk.resynchronise()
        modem.results = [None]
        gateway.waiting.append(make_part(1))
        submit = talk.submit
        talk.submit = lambda *args, **more: submit(*args, **more, on_written=modem.unplug)
        with pytest.raises(PortLostError):
            sender.send_one(claim_next=True)
        assert [result.outcome for result in gateway.results] == [Outcome.UNCERTAIN]


def test_a_late_answer_without_a_doubtful_part_belongs_to_nobody():
    with sender_of() as (_modem, gateway, sender, talk):
        talk.late.append(exchange.Answer(submitted=True, reference=5))
        sender.take_late()
        assert gateway.late == []


def test_a_bare_error_in_place_of_the_prompt_holds_the_modem_back():
    with sender_of() as (modem, gateway, sender, _talk):
        part = make_part(1)
        modem.answers = {"AT": "OK", f"AT+CMGS={len(part.tpdu)}": "ERROR"}
        gateway.waiting.append(part)
        assert sender.send_one(claim_next=True)
        assert gateway.results[0].outcome is Outcome.UNTOUCHED
        assert not sender.send_one(claim_next=True)
        assert len(gateway.results) == 1


def test_part_after_part_without_an_answer_holds_the_modem_back_and_wants_it_anew():
    """One lost answer holds nothing back; a modem that never answers does not eat the queue."""
    with sender_of(results=[None] * 6, result_timeout_s=0.3) as (_modem, gateway, sender, talk):
        gateway.waiting.extend(make_part(number) for number in range(1, 9))
        assert sender.send_one(claim_next=True)
        assert sender.send_one(claim_next=True)
        assert not sender.send_one(claim_next=True), "held back"
        sender._hold_until = float("-inf")
        with pytest.raises(ModemError, match="3 parts in a row"):
            sender.send_one(claim_next=True)
        assert [result.outcome for result in gateway.results] == [Outcome.UNCERTAIN] * 3
        sender._hold_until = float("-inf")
        talk._owed = 0
        before = clock.SystemClock().monotonic()
        assert sender.send_one(claim_next=True)
        after = clock.SystemClock().monotonic()
        assert before + 8 <= sender._hold_until <= after + 8, "it goes on growing from where it was"


def test_a_modem_that_goes_on_failing_is_tried_each_minute():
    """The pause doubles up to a minute and no further, however long the trouble lasts."""
    with sender_of() as (modem, gateway, sender, _talk):
        part = make_part(1)
        modem.answers = {"AT": "OK", f"AT+CMGS={len(part.tpdu)}": "ERROR"}
        for pause_s in (1, 2, 4, 8, 16, 32, 60, 60):
            gateway.waiting.append(part)
            sender._hold_until = float("-inf")
            before = clock.SystemClock().monotonic()
            with contextlib.suppress(ModemError):  # every few times it is to be brought up anew
                sender.send_one(claim_next=True)
            after = clock.SystemClock().monotonic()
            assert before + pause_s <= sender._hold_until <= after + pause_s


def test_a_lost_prompt_holds_the_modem_back():
    with sender_of() as (modem, gateway, sender, talk):
        part = make_part(1)
        modem.answers = {"AT": "OK", f"AT+CMGS={len(part.tpdu)}": None}
        submit = talk.submit
        talk.submit = lambda *args, **more: submit(*args, **more, prompt_timeout_s=0.1)
        gateway.waiting.append(part)
        assert sender.send_one(claim_next=True)
        assert gateway.results[0].outcome is Outcome.UNTOUCHED
        assert not sender.send_one(claim_next=True)

# SPDX-License-Identifier: Apache-2.0
"""Results of submits that come when another submit waits for its own."""

import threading
from contextlib import contextmanager

import pytest
from modem_support import PlayedModem

from gsmgw import clock
from gsmgw.modem import dialogue, port

PDU = "00" + "11" * 20


@contextmanager
def given_up(results, **more):
    """Hand out a dialogue in which the result of the first submit has not come."""
    with PlayedModem(results=[None, *results], **more) as modem:
        line = port.Port(modem.path, write_timeout_s=60.0)
        line.open()
        talk = dialogue.Dialogue(line)
        talk.opened()
        try:
            assert talk.submit(PDU, 20, timeout_s=0.2).final is None
            yield modem, talk
        finally:
            line.close()


def told(answer):
    """Return what an answer says: its reference, else the code of the refusal."""
    return answer.reference if answer.taken else f"CMS {answer.final.code}"


@pytest.mark.parametrize(
    ("result", "own", "late"),
    [
        ("+CMGS: 9\r\n\r\nOK", 9, []),
        ("+CMGS: 9\r\n\r\nOK\r\n+CMGS: 10\r\n\r\nOK", 10, [9]),
        ("+CMGS: 10\r\n\r\nOK\r\n+CMGS: 9\r\n\r\nOK", 10, [9]),
        ("+CMGS: 255\r\n\r\nOK\r\n+CMGS: 0\r\n\r\nOK", 0, [255]),
        ("+CMGS: 0\r\n\r\nOK\r\n+CMGS: 0\r\n\r\nOK", 0, [0]),
        ("+CMS ERROR: 38\r\n+CMS ERROR: 42", "CMS 42", ["CMS 38"]),
    ],
)
def test_the_result_of_the_submit_before_is_not_taken_for_this_one(result, own, late):
    with given_up([result]) as (_, talk):
        assert told(talk.submit(PDU, 20, timeout_s=5)) == own
        assert [told(answer) for answer in talk.late] == late
        assert talk.in_step


@pytest.mark.parametrize(
    "results",
    [
        "+CMS ERROR: 330\r\n+CMGS: 9\r\n\r\nOK",  # refused by the modem before the late answer
        "+CMGS: 9\r\n\r\nOK\r\n+CMS ERROR: 330",
    ],
)
def test_a_late_answer_and_a_refusal_in_any_order_settle_nothing(results):
    with given_up([results]) as (_, talk):
        answer = talk.submit(PDU, 20, timeout_s=5)
        assert answer.submitted
        assert not answer.taken
        assert answer.final is None
        assert list(talk.late) == []
        assert talk.in_step
        assert talk.submit(PDU, 20, timeout_s=5).reference == 1


@pytest.mark.parametrize(("one", "other"), [(1, 38), (38, 1), (1, 1), (21, 38)])
def test_of_two_refusals_in_any_order_the_number_is_not_blamed_for_the_other_one(one, other):
    with given_up([f"+CMS ERROR: {one}\r\n+CMS ERROR: {other}"]) as (_, talk):
        own = talk.submit(PDU, 20, timeout_s=5)
        (late,) = talk.late
        blamed = {answer.final.code for answer in (own, late)}
        assert blamed == ({38} if {one, other} == {1, 38} else {one, other})


def test_a_refusal_before_the_reference_that_counts_on_is_of_the_submit_before():
    results = ["+CMGS: 8\r\n\r\nOK", None, "+CMS ERROR: 38\r\n+CMGS: 10\r\n\r\nOK"]
    with given_up(results) as (_, talk):
        talk.submit(PDU, 20, timeout_s=5)
        talk.submit(PDU, 20, timeout_s=0.2)
        assert talk.submit(PDU, 20, timeout_s=5).reference == 10
        assert [told(answer) for answer in talk.late] == ["CMS 38"]


def test_a_reference_that_counts_on_is_believed_at_once():
    seven = "+CMGS: 7\r\n\r\nOK"
    results = [seven, "+CMGS: 8\r\n\r\nOK", None, "+CMGS: 10\r\n\r\nOK"]
    with given_up(results) as (_, talk):
        listen, listened = talk._await_result, []
        talk._await_result = lambda timeout_s: listened.append(timeout_s) or listen(timeout_s)
        for own in (7, 8, None, 10):
            listened.clear()
            assert talk.submit(PDU, 20, timeout_s=0.2 if own is None else 60).reference == own
        assert len(listened) == 1, "it does not listen for a second one"


def test_a_result_that_comes_with_the_prompt_is_not_of_the_part_that_was_not_sent():
    with given_up(["+CMGS: 10\r\n\r\nOK"]) as (modem, talk):
        talk.resynchronise()
        modem.prompt = b"\r\n> \r\n+CMGS: 9\r\n\r\nOK\r\n"
        answer = talk.submit(PDU, 20, timeout_s=5)
        assert (answer.submitted, answer.taken) == (False, False)
        assert [told(answer) for answer in talk.late] == [9]
        assert len(modem.submitted) == 1
        modem.prompt = b"\r\n> "
        assert talk.submit(PDU, 20, timeout_s=5).reference == 10


def test_a_modem_that_echoes_again_is_sent_no_pdu():
    with given_up([]) as (modem, talk):
        talk.resynchronise()
        talk.take_echoed()
        talk.is_quiet = True  # it was told ATE0
        modem.echo = True  # it has restarted, and may take what follows for a text
        answer = talk.submit(PDU, 20, timeout_s=5)
        assert (answer.submitted, answer.taken) == (False, False)
        assert len(modem.submitted) == 1
        assert talk.take_echoed()


def test_an_answer_that_may_be_of_the_submit_before_is_said_to_be_shared():
    results = ["+CMGS: 8\r\n\r\nOK", None, "+CMGS: 9\r\n\r\nOK", "+CMGS: 10\r\n\r\nOK"]
    with given_up(results) as (_, talk):
        talk.submit(PDU, 20, timeout_s=5)
        talk.submit(PDU, 20, timeout_s=0.2)
        answer = talk.submit(PDU, 20, timeout_s=3)
        assert (told(answer), answer.shared) == (9, True)
        answer = talk.submit(PDU, 20, timeout_s=5)
        assert (told(answer), answer.shared) == (10, False)


def test_the_own_answer_is_awaited_patiently_where_the_network_is_slow():
    results = ["+CMGS: 8\r\n\r\nOK", None, "+CMGS: 9\r\n\r\nOK"]
    with given_up(results) as (modem, talk):
        talk.submit(PDU, 20, timeout_s=5)
        talk.submit(PDU, 20, timeout_s=0.2)
        # Otherwise a second one is awaited for 1 s after the first.
        own = threading.Timer(1.6, lambda: modem.say("\r\n+CMGS: 10\r\n\r\nOK\r\n"))
        own.start()
        answer = talk.submit(PDU, 20, timeout_s=5)
        own.join()
        assert (told(answer), answer.shared) == (10, False)
        assert [told(late) for late in talk.late] == [9]


@pytest.mark.parametrize("second", ["+CMGS: 9\r\n\r\nOK", "+CMS ERROR: 38"])
def test_the_own_answer_of_a_shared_one_may_come_into_the_next_submit(second):
    both = "+CMGS: 10\r\n\r\nOK\r\n+CMGS: 11\r\n\r\nOK"
    with given_up(["+CMGS: 8\r\n\r\nOK", None, second, both]) as (_, talk):
        talk.submit(PDU, 20, timeout_s=5)
        talk.submit(PDU, 20, timeout_s=0.2)
        assert talk.submit(PDU, 20, timeout_s=3).shared
        answer = talk.submit(PDU, 20, timeout_s=5)
        assert (told(answer), answer.shared) == (11, False)
        assert [told(late) for late in talk.late] == [10]


def test_results_of_three_submits_that_come_to_the_third_are_each_of_their_own():
    three = "\r\n".join(f"+CMGS: {number}\r\n\r\nOK" for number in (9, 10, 11))
    with given_up(["+CMGS: 8\r\n\r\nOK", None, None, three]) as (_, talk):
        talk.submit(PDU, 20, timeout_s=5)
        for _ in range(2):
            assert talk.submit(PDU, 20, timeout_s=0.2).final is None
        assert told(talk.submit(PDU, 20, timeout_s=5)) == 11
        assert [told(late) for late in talk.late] == [9, 10]


@pytest.mark.parametrize(
    ("results", "own", "late"),
    [
        ("+CMS ERROR: 38\r\n+CMGS: 9\r\n\r\nOK", 9, "CMS 38"),
        ("+CMGS: 9\r\n\r\nOK\r\n+CMS ERROR: 1", "CMS 1", 9),
    ],
)
def test_what_the_network_says_comes_in_order(results, own, late):
    with given_up([results]) as (_, talk):
        assert told(talk.submit(PDU, 20, timeout_s=5)) == own
        assert [told(answer) for answer in talk.late] == [late]


def test_a_refusal_that_comes_after_the_next_was_answered_is_kept():
    results = ["+CMGS: 8\r\n\r\nOK", None, "+CMGS: 10\r\n\r\nOK"]
    with given_up(results) as (modem, talk):
        for timeout_s in (5, 0.3, 5):
            talk.submit(PDU, 20, timeout_s=timeout_s)
        modem.say("\r\n+CMS ERROR: 38\r\n")
        until = talk._clock.monotonic() + 60
        while not talk.late and talk._clock.monotonic() < until:
            talk.wait(0.1)
        assert [told(late) for late in talk.late] == ["CMS 38"]


class Later(clock.SystemClock):
    """A clock on which a test lets time pass."""

    ahead_s = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead_s


@pytest.mark.parametrize(("seconds", "is_shared"), [(280, True), (301, False)])
def test_a_result_of_long_ago_is_not_awaited_any_more(seconds, is_shared):
    now = Later()
    with PlayedModem(results=[None, "+CMGS: 9\r\n\r\nOK"]) as modem:
        line = port.Port(modem.path, write_timeout_s=60.0)
        line.open()
        talk = dialogue.Dialogue(line, now=now)
        talk.opened()
        assert talk.submit(PDU, 20, timeout_s=0.2).final is None
        now.ahead_s += seconds
        answer = talk.submit(PDU, 20, timeout_s=5)
        assert (answer.reference, answer.shared) == (9, is_shared)
        line.close()

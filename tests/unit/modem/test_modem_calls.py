# SPDX-License-Identifier: Apache-2.0
from gsmgw.at.network import Caller
from gsmgw.modem.duties import calls
from gsmgw.modem.duties.calls import Missed

NUMBER = "+48500100201"


def test_ring_and_number_together_are_one_missed_call_to_hang_up():
    call = calls.Calls(1)
    call.ring(0.0)
    assert call.look(0.0) is None
    call.name(Caller(NUMBER), 0.0)
    assert call.ringing
    assert call.due_at() == 0.0
    assert call.look(0.0) == Missed(NUMBER, hang_up=True)
    assert call.due_at() is None


def test_the_number_may_come_later_than_the_ring():
    call = calls.Calls(1)
    call.ring(0.0)
    assert call.look(0.06) is None
    call.name(Caller(NUMBER), 0.06)
    assert call.look(0.06) == Missed(NUMBER, hang_up=True)


def test_without_a_number_it_is_hung_up_all_the_same():
    call = calls.Calls(1)
    call.ring(0.0)
    assert call.due_at() == calls.NUMBER_WITHIN_S
    assert call.look(calls.NUMBER_WITHIN_S) == Missed(None, hang_up=True)


def test_a_withheld_number_is_known_at_once():
    call = calls.Calls(1)
    call.ring(0.0)
    call.name(Caller(None), 0.0)
    assert call.look(0.0) == Missed(None, hang_up=True)


def test_more_rings_when_wanted():
    call = calls.Calls(3)
    for at in (0.0, 5.0):
        call.ring(at)
        call.name(Caller(NUMBER), at)
        assert call.look(at) is None
    assert call.due_at() == 5.0 + calls.RING_AGAIN_WITHIN_S
    call.ring(10.0)
    assert call.look(10.0) == Missed(NUMBER, hang_up=True)


def test_the_caller_gives_up_with_or_without_word():
    call = calls.Calls(3)
    call.ring(0.0)
    call.name(Caller(NUMBER), 0.1)
    assert call.end(2.0) == Missed(NUMBER, hang_up=False)
    assert call.end(2.1) is None
    call.name(Caller("+48500100202"), 20.0)
    assert call.look(20.0 + calls.RING_AGAIN_WITHIN_S) == Missed("+48500100202", hang_up=False)


def test_what_is_left_in_the_queue_after_hanging_up_is_no_new_call():
    call = calls.Calls(1)
    call.ring(0.0)
    call.name(Caller(NUMBER), 0.0)
    call.look(0.0)
    call.ring(0.5)
    call.name(Caller(NUMBER), 0.5)
    assert not call.ringing
    call.name(Caller("+48500100202"), 1.0)
    assert call.look(1.0) == Missed("+48500100202", hang_up=True)


def test_next_days_call_of_the_same_number_is_a_new_one():
    call = calls.Calls(1)
    for at in (0.0, 86400.0):
        call.ring(at)
        call.name(Caller(NUMBER), at)
        assert call.look(at) == Missed(NUMBER, hang_up=True)


def test_a_restart_forgets_the_call():
    call = calls.Calls(1)
    call.ring(0.0)
    call.forget()
    assert call.look(60.0) is None

# SPDX-License-Identifier: Apache-2.0
import select
import threading
from contextlib import contextmanager

import pytest
from modem_support import PlayedModem

from gsmgw import clock
from gsmgw.at.replies import FinalKind
from gsmgw.errors import CommandFailedError, ModemSilentError, PortLostError
from gsmgw.modem import dialogue, port

SIGNAL = {"AT+CSQ": "+CSQ: 17,99\r\n\r\nOK"}
PDU = "00" + "11" * 20


@contextmanager
def talking(answers=None, **more):
    """Hand out a played modem and a dialogue with it."""
    with PlayedModem(answers or SIGNAL, **more) as modem:
        line = port.Port(modem.path, write_timeout_s=60.0)
        line.open()
        talk = dialogue.Dialogue(line)
        talk.opened()
        try:
            yield modem, talk
        finally:
            line.close()


def signal(talk):
    return talk.command("AT+CSQ", prefixes=("+CSQ:",), timeout_s=60)


@pytest.mark.parametrize("line", [{}, {"piece": 1}, {"echo": True}, {"echo": True, "piece": 1}])
def test_a_command_and_a_submit_over_every_line(line):
    with talking(**line) as (modem, talk):
        assert signal(talk).first == "+CSQ: 17,99"
        answer = talk.submit(PDU, 20, timeout_s=60)
        assert answer.taken
        assert answer.reference == 1
        assert modem.submitted == [PDU]
        assert signal(talk).ok
        assert talk.take_echoed() is ("echo" in line)


@pytest.mark.parametrize("prompt", [b"\r\n> ", b"> ", b">", b"\r\n>\r\n"])
def test_every_kind_of_prompt(prompt):
    with talking(prompt=prompt) as (_, talk):
        assert talk.submit(PDU, 20, timeout_s=60).reference == 1


def test_a_refused_command_is_a_value():
    with talking({"AT+CPIN?": "+CME ERROR: 10"}) as (_, talk):
        reply = talk.command("AT+CPIN?", prefixes=("+CPIN:",))
        assert not reply.ok
        assert reply.first is None
        with pytest.raises(CommandFailedError) as caught:
            reply.raise_for_error()
        assert (caught.value.kind, caught.value.code) == ("CME", 10)
        assert talk.in_step


def test_urc_inside_reply_is_not_lost():
    with talking({"AT+CSQ": '+CMTI: "SM",3\r\n+CSQ: 17,99\r\n^RSSI: 17\r\nOK'}) as (_, talk):
        assert signal(talk).lines == ("+CSQ: 17,99",)
        assert [one.text for one in talk.unsolicited] == ['+CMTI: "SM",3', "^RSSI: 17"]


def test_a_late_answer_is_not_the_answer_to_the_next_command():
    with talking({"AT+CSQ": None, "AT+CGMI": "huawei\r\n\r\nOK"}) as (modem, talk):
        with pytest.raises(ModemSilentError):
            talk.command("AT+CSQ", prefixes=("+CSQ:",), timeout_s=0.1)
        assert not talk.in_step
        modem.say("\r\n+CSQ: 9,99\r\n\r\nOK\r\n")
        assert talk.command("AT+CGMI", prefixes=None).lines == ("huawei",)


def test_answers_that_come_in_the_middle_of_resynchronising_are_discarded():
    with talking({"AT+CSQ": None, "AT+CGMI": "huawei\r\n\r\nOK"}) as (modem, talk):
        for _ in range(2):
            with pytest.raises(ModemSilentError):
                talk.command("AT+CSQ", prefixes=("+CSQ:",), timeout_s=0.1)
        modem.answers["AT"] = lambda _: "+CSQ: 9,99\r\n\r\nOK\r\n\r\nOK"
        with pytest.raises(ModemSilentError):
            talk.resynchronise(0.5)
        modem.answers["AT"] = "OK"
        assert talk.command("AT+CGMI", prefixes=None).lines == ("huawei",)


def test_the_late_answer_of_one_command_is_not_taken_for_the_answer_to_the_probe():
    """The first AT is answered with what was owed; its own answer comes after the silence."""
    answers = {"AT+SLOW": None, "AT": "OK", "AT+CSQ": SIGNAL["AT+CSQ"]}
    with talking(answers) as (modem, talk):
        assert talk.command("AT").ok  # in step
        with pytest.raises(ModemSilentError):
            talk.command("AT+SLOW", timeout_s=0.05)
        owed = []

        def answer(_line):
            if not owed:
                owed.append(threading.Timer(0.5, modem.say, ["\r\nOK\r\n"]))
                owed[0].start()
            return "OK"

        modem.answers["AT"] = answer
        modem.heard.clear()
        talk.resynchronise()
        owed[0].join()
        assert modem.heard.count("AT") >= 2


def test_a_part_has_left_the_kernel_before_its_end_is_written(monkeypatch):
    with talking() as (_, talk):
        assert talk.command("AT").ok
        done = []
        write, drain = port.Port.write, port.Port.drain
        monkeypatch.setattr(
            port.Port, "write", lambda line, octets: (done.append(octets), write(line, octets))
        )
        monkeypatch.setattr(port.Port, "drain", lambda line: (done.append("drain"), drain(line)))
        assert talk.submit(PDU, 20, timeout_s=60).taken
        assert done == [b"AT+CMGS=20\r", PDU.encode(), "drain", b"\x1a"]


def test_what_does_not_leave_the_kernel_was_never_submitted(monkeypatch):
    def jam(line):
        raise ModemSilentError(f"{line.path} takes no bytes")

    monkeypatch.setattr(port.Port, "drain", jam)
    with talking() as (modem, talk):
        answer = talk.submit(PDU, 20, timeout_s=60)
        assert not answer.submitted
        assert isinstance(answer.error, ModemSilentError)
        assert modem.submitted == []


def test_a_modem_that_answers_error_to_at_gets_into_step():
    with talking({"AT": "ERROR", **SIGNAL}) as (_, talk):
        assert signal(talk).ok


@pytest.mark.parametrize("asked", ["submit", "command"])
def test_an_answer_that_came_while_the_machine_held_us_up_is_no_silence(asked):
    """It is there in time; we look when the time is over, as after a stall of the machine."""
    now = HeldUp()
    with PlayedModem(SIGNAL) as modem:
        line = port.Port(modem.path)
        line.open()
        read, write, written = line.read, line.write, []

        def held_up(timeout_s, wake_fd=None):
            if now.ahead_s == 0 and written[-1:] in ([b"\x1a"], [b"AT+CSQ\r"]):
                assert select.select([line.fileno()], [], [], 60)[0]
                now.ahead_s = 1000.0
                return b""
            return read(timeout_s, wake_fd)

        line.read = held_up
        line.write = lambda octets: written.append(octets) or write(octets)
        talk = dialogue.Dialogue(line, now=now)
        talk.opened()
        if asked == "submit":
            assert talk.submit(PDU, 20, timeout_s=60).reference == 1
        else:
            assert signal(talk).first == "+CSQ: 17,99"
        assert now.ahead_s
        line.close()


class HeldUp(clock.SystemClock):
    """The machine's clock after a stall."""

    ahead_s = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead_s


def test_a_final_result_without_its_end_ends_the_command():
    with talking({"AT+CSQ": b"\r\n+CSQ: 17,99\r\n\r\nOK"}) as (_, talk):
        assert signal(talk).first == "+CSQ: 17,99"


def test_bytes_that_are_no_text_do_no_harm():
    with talking({"AT+CSQ": b"\xff\xfe\x00\x80\r\n+CSQ: 17,99\r\n\x00\x00\r\nOK\r\n"}) as (_, talk):
        assert signal(talk).first == "+CSQ: 17,99"


def test_a_prompt_that_stands_open_is_closed_first():
    with talking() as (modem, talk):
        assert signal(talk).ok
        modem._in_prompt = True
        modem.say("\r\n> ")
        talk.wait(1)
        assert signal(talk).ok
        assert modem.escapes >= 2
        assert modem.submitted == []


def test_the_port_lost_in_a_command_is_told_at_once():
    with talking({"AT+CSQ": None}) as (modem, talk):
        talk.resynchronise()
        modem.answers["AT+CSQ"] = lambda _: modem.say("") or None
        modem.unplug()
        with pytest.raises(PortLostError):
            talk.command("AT+CSQ", prefixes=("+CSQ:",), timeout_s=60)


def test_a_silent_modem_is_named_without_its_pin():
    with talking({'AT+CPIN="1234"': None}) as (_, talk):
        with pytest.raises(ModemSilentError) as caught:
            talk.command('AT+CPIN="1234"', timeout_s=0.1, secret=True)
        assert "1234" not in str(caught.value)


# -- submits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "mr"),
    [
        ("+CMGS: 7\r\n\r\nOK", 7),
        ("+CMGS:12\r\n\r\nOK", 12),
        ('+CMGS: 7,"26/11/22,12:00:00+04"\r\n\r\nOK', 7),
        ("OK\r\n\r\n+CMGS: 7", 7),
        ('+CMTI: "SM",1\r\n+CMGS: 7\r\n^RSSI: 3\r\nOK', 7),
        ("+CMGS: 7\r\n+CMS ERROR: 500", 7),
        ("RING\r\n\r\nNO CARRIER\r\n+CMGS: 7\r\n\r\nOK", 7),
    ],
)
def test_the_network_took_it(result, mr):
    with talking(results=[result]) as (_, talk):
        answer = talk.submit(PDU, 20, timeout_s=60)
        assert answer.taken
        assert answer.reference == mr


def test_ok_alone_is_taken_without_a_reference():
    with talking(results=["OK"]) as (_, talk):
        answer = talk.submit(PDU, 20, timeout_s=60)
        assert answer.taken
        assert answer.reference is None


def test_a_modem_that_never_tells_references_is_not_waited_for_each_time():
    with talking(results=["OK"] * 5) as (_, talk):
        for _ in range(3):
            assert talk.submit(PDU, 20, timeout_s=60).taken
            assert not talk.in_step  # +CMGS might still have come
        for _ in range(2):
            answer = talk.submit(PDU, 20, timeout_s=60)
            assert (answer.taken, answer.reference, talk.in_step) == (True, None, True)


@pytest.mark.parametrize(
    ("result", "kind", "code"),
    [
        ("+CMS ERROR: 38", FinalKind.CMS, 38),
        ("+CMS ERROR:38", FinalKind.CMS, 38),
        ("ERROR", FinalKind.ERROR, None),
        ("NO CARRIER", FinalKind.CALL, None),
    ],
)
def test_a_no_after_ctrl_z(result, kind, code):
    with talking(results=[result]) as (_, talk):
        answer = talk.submit(PDU, 20, timeout_s=60)
        assert answer.submitted
        assert not answer.taken
        assert answer.final is not None
        assert (answer.final.kind, answer.final.code) == (kind, code)


def test_a_no_in_place_of_the_prompt_was_never_submitted():
    with talking({"AT+CMGS=20": "+CMS ERROR: 304"}) as (modem, talk):
        answer = talk.submit(PDU, 20, timeout_s=60)
        assert not answer.submitted
        assert answer.final is not None
        assert answer.final.code == 304
        assert modem.submitted == []
        assert talk.in_step


def test_no_prompt_in_time_was_never_submitted_and_the_late_prompt_is_closed():
    with talking({"AT+CMGS=20": None, **SIGNAL}) as (modem, talk):
        answer = talk.submit(PDU, 20, timeout_s=60, prompt_timeout_s=0.1)
        assert not answer.submitted
        assert isinstance(answer.error, ModemSilentError)
        modem._in_prompt = True
        modem.say("\r\n> ")
        assert signal(talk).ok
        assert modem.submitted == []


def test_silence_after_ctrl_z_is_unknown_and_the_late_answer_is_kept():
    with talking(results=[None]) as (modem, talk):
        written = []
        answer = talk.submit(PDU, 20, timeout_s=0.2, on_written=lambda: written.append(1))
        assert written == [1]
        assert answer.submitted
        assert not answer.taken
        modem.say("\r\n+CMGS: 9\r\n\r\nOK\r\n")
        assert signal(talk).first == "+CSQ: 17,99"
        assert [late.reference for late in talk.late] == [9]
        assert talk.submit(PDU, 20, timeout_s=60).reference == 1


def test_a_late_refusal_is_kept_too():
    with talking(results=[None]) as (modem, talk):
        talk.submit(PDU, 20, timeout_s=0.2)
        modem.say("\r\n+CMS ERROR: 38\r\n")
        assert signal(talk).ok
        assert [late.final.code for late in talk.late] == [38]


def test_a_late_answer_after_error_is_kept():
    with talking(results=["ERROR"]) as (modem, talk):
        assert not talk.submit(PDU, 20, timeout_s=60).taken
        modem.say("\r\n+CMGS: 9\r\n\r\nOK\r\n")
        until = talk._clock.monotonic() + 60
        while not talk.late and talk._clock.monotonic() < until:
            talk.wait(1)
        assert [late.reference for late in talk.late] == [9]


def test_the_port_lost_after_ctrl_z_is_unknown():
    with talking() as (modem, talk):
        talk.resynchronise()
        modem.results = [None]
        answer = talk.submit(PDU, 20, timeout_s=60, on_written=lambda: modem.unplug())
        assert answer.submitted
        assert isinstance(answer.error, PortLostError)


def test_the_port_lost_before_the_prompt_was_never_submitted():
    with talking() as (modem, talk):
        talk.resynchronise()
        modem.unplug()
        answer = talk.submit(PDU, 20, timeout_s=60)
        assert not answer.submitted
        assert isinstance(answer.error, PortLostError)


def test_listening_writes_nothing_and_ends_with_the_answer():
    with talking() as (modem, talk):
        modem.say("\r\n+CMGS: 5\r\n\r\nOK\r\n")
        talk.listen(20)
        assert talk.late[0].reference == 5
        assert modem.heard == []
        assert modem.escapes == 0


def test_what_waits_in_the_device_is_read_when_it_is_opened():
    with PlayedModem(SIGNAL) as modem:
        modem.say("\r\n+CMGS: 5\r\n\r\nOK\r\n")
        line = port.Port(modem.path)
        line.open()
        talk = dialogue.Dialogue(line)
        talk.listen(20)
        line.close()
        assert talk.late[0].reference == 5


def test_sixty_messages_out_while_sixty_come_in():
    def result(_):
        return '+CMTI: "SM",1\r\n+CMGS: 7\r\n^RSSI: 1\r\nOK'

    with talking(results=[result] * 60, piece=3) as (modem, talk):
        answers = [talk.submit(PDU, 20, timeout_s=60) for _ in range(60)]
        assert all(answer.reference == 7 for answer in answers)
        assert sum(one.text.startswith("+CMTI") for one in talk.unsolicited) == 60
        assert len(modem.submitted) == 60

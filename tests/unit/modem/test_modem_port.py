# SPDX-License-Identifier: Apache-2.0
import os
import termios

import pytest
from modem_support import PlayedModem

from gsmgw.errors import ModemSilentError, PortLostError
from gsmgw.modem import port


def test_a_port_is_held_by_one_only():
    with PlayedModem() as modem:
        first, second = port.Port(modem.path), port.Port(modem.path)
        first.open()
        first.open()
        with pytest.raises(PortLostError, match="held by another"):
            second.open()
        first.close()
        first.close()
        second.open()
        second.close()
        assert second.fileno() == -1


def test_what_is_not_there_is_a_lost_port(tmp_path):
    with pytest.raises(PortLostError, match="cannot be opened"):
        port.Port(str(tmp_path / "none")).open()
    plain = tmp_path / "plain"
    plain.write_text("")
    with pytest.raises(PortLostError):
        port.Port(str(plain)).open()


def test_closing_does_not_hang_up():
    with PlayedModem() as modem:
        # As a driver gives a new device: a pty has it not.
        descriptor = os.open(modem.path, os.O_RDWR | os.O_NOCTTY)
        try:
            found = termios.tcgetattr(descriptor)
            found[2] |= termios.HUPCL
            termios.tcsetattr(descriptor, termios.TCSANOW, found)
            line = port.Port(modem.path)
            line.open()
            assert not termios.tcgetattr(descriptor)[2] & termios.HUPCL
            line.close()
        finally:
            os.close(descriptor)


def test_a_closed_port_says_so():
    line = port.Port("/dev/null")
    assert not line.is_open
    with pytest.raises(PortLostError):
        line.read(0)
    with pytest.raises(PortLostError):
        line.write(b"AT\r")


def test_a_wait_ends_when_it_is_woken():
    reading, writing = os.pipe()
    with PlayedModem() as modem:
        line = port.Port(modem.path)
        line.open()
        os.write(writing, b"w")
        assert line.read(60, reading) == b""
        line.close()
    os.close(reading)
    os.close(writing)


def test_a_modem_that_takes_no_bytes_is_silent():
    with PlayedModem() as modem:
        modem._end_thread()
        line = port.Port(modem.path, write_timeout_s=0.1)
        line.open()
        with pytest.raises(ModemSilentError):
            line.write(b"x" * 1_000_000)
        line.close()


def test_draining_ends_when_all_has_left():
    with PlayedModem() as modem:
        line = port.Port(modem.path)
        line.open()
        line.write(b"AT\r")
        line.drain()
        line.close()

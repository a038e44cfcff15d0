# SPDX-License-Identifier: Apache-2.0
"""Notices to systemd, over a real socket."""

import os
import re
import socket
import uuid

import pytest

from gsmgw import systemd


@pytest.fixture(autouse=True)
def _outside_systemd(monkeypatch):
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["path", "abstract"])
def channel(request, tmp_path, monkeypatch):
    address = f"@{uuid.uuid4().hex}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address.replace("@", "\0", 1))
        listener.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield listener


@pytest.mark.parametrize(
    ("notice", "sent"),
    [
        (systemd.ready, "READY=1"),
        (lambda: systemd.ready("2 modems ready"), "READY=1\nSTATUS=2 modems ready"),
        (systemd.stopping, "STOPPING=1"),
        (lambda: systemd.status("łódź\nREADY=1"), "STATUS=łódź READY=1"),
        (systemd.watchdog, "WATCHDOG=1"),
    ],
)
def test_notices_arrive(channel, notice, sent):
    notice()
    assert channel.recv(1000).decode() == sent


def test_reloading_tells_the_monotonic_time(channel):
    systemd.reloading()
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", channel.recv(1000).decode())


def test_notify_tells_whether_it_could_send(channel):
    assert systemd.notify("READY=1")


@pytest.mark.parametrize("address", [None, "", "relative", "vsock:2:1", "/nowhere/at/all", "@gone"])
def test_without_systemd_nothing_happens(monkeypatch, address):
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not systemd.notify("READY=1")
    systemd.ready()
    systemd.reloading()
    systemd.stopping()
    systemd.status("x")
    systemd.watchdog()


def test_a_path_too_long_for_a_socket_is_no_trouble(monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", "/" + "x" * 200)
    assert not systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("limit", "process", "interval"),
    [
        ("30000000", None, 15.0),
        ("30000000", "own", 15.0),
        ("30000000", "1", None),
        ("0", None, None),
        ("-5", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_wants_to_be_fed_twice_in_its_time(monkeypatch, limit, process, interval):
    if limit is not None:
        monkeypatch.setenv("WATCHDOG_USEC", limit)
    if process is not None:
        monkeypatch.setenv("WATCHDOG_PID", process.replace("own", str(os.getpid())))
    assert systemd.interval_s() == interval

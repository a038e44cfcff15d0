# SPDX-License-Identifier: Apache-2.0
"""smstools3 on the same modems in the same run, where it is installed: what a file costs there.

Set up for speed as far as its manual goes: events instead of looks at the folder, no checks of
files, signal or network, answers polled for each 0.1 ms. It syncs nothing to disk; we do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import (
    PATIENCE_S,
    Row,
    cpu_seconds,
    median_of,
    milliseconds,
    overhead,
    scenario,
    use,
)

from gsmgw.simulator import Simulator
from gsmgw.simulator.books import Submit

_MESSAGES = 300
_SLOW_MESSAGES = 6
_TIMES = 20
_PAUSE_S = 0.3
#: Until it has brought its modem up; it does not tell.
_START_S = 8.0
_MINUTE_S = 60.0
_FOLDERS = ("outgoing", "checked", "incoming", "sent", "failed", "report")
_SETTINGS = """\
devices = front
{folders}
logfile = {place}/log
loglevel = 4
pidfile = {place}/pid
infofile = {place}/info
notifier = yes
trust_outgoing = yes
delaytime = 1

[front]
device = {port}
rtscts = no
incoming = yes
report = no
check_network = 0
pre_init = no
status_signal_quality = no
detect_message_routing = no
detect_unexpected_input = no
poll_faster = 1000
"""


def peers(folder: Path) -> list[Row]:
    """Measure smsd, if it and the inotifywait that it needs for events are on the PATH."""
    missing = [name for name in ("smsd", "inotifywait") if shutil.which(name) is None]
    if missing:
        return [(f"smstools3: not compared, {' and '.join(missing)} not found", "", "")]
    with _smsd(folder / "fast", "20ms") as box:
        latency, _ = median_of(_TIMES, box.file_to_wire)
        before = len(box.sim.books.submits)
        for number in range(_MESSAGES):
            box.drop(f"m{number}", number)
        cost = overhead(box.answered(before + _MESSAGES)[before:])
        time.sleep(5)
        cpu, commands = box.cpu_seconds(), box.commands()
        time.sleep(_MINUTE_S)
        cpu, commands = box.cpu_seconds() - cpu, box.commands() - commands
    with _smsd(folder / "slow", "3s") as box:
        for number in range(_SLOW_MESSAGES):
            box.drop(f"m{number}", number)
        used = use(box.answered(_SLOW_MESSAGES))
    return [
        ("smstools3: file renamed in to AT+CMGS, idle, median", milliseconds(latency), ""),
        (f"  {_MESSAGES} files, 20 ms modem: a message on top", milliseconds(cost), ""),
        ("  modem use at 3 s a message", f"{used:.2%}", ""),
        ("  idle minute, processor time", f"{cpu:.3f} s", ""),
        ("  idle minute, AT commands", str(commands), ""),
    ]


class _Smsd:
    """smsd at work on one simulated modem."""

    def __init__(self, place: Path, sim: Simulator, process: subprocess.Popen[bytes]) -> None:
        self.sim = sim
        self._place = place
        self._process = process

    def drop(self, name: str, number: int) -> float:
        """Rename a file in; return when (monotonic)."""
        aside = self._place / f"aside-{name}"
        aside.write_text(f"To: 4850010{number:04d}\n\nMessage {number}")
        started = time.monotonic()
        aside.rename(self._place / "outgoing" / name)
        return started

    def file_to_wire(self, number: int) -> float:
        """Return the time from a rename to AT+CMGS."""
        time.sleep(_PAUSE_S)
        before = len(self.sim.books.submits)
        started = self.drop(f"f{number}", number)
        assert self.sim.books.wait(lambda books: len(books.submits) > before, PATIENCE_S)
        return self.sim.books.submits[before].line_at - started

    def answered(self, count: int) -> list[Submit]:
        """Wait until so many were taken and answered; return them."""
        assert self.sim.books.wait(
            lambda books: sum(one.answered_at is not None for one in books.taken) >= count,
            PATIENCE_S,
        ), (self._place / "log").read_text()[-2000:]
        return self.sim.books.taken[:count]

    def commands(self) -> int:
        """Return how many command lines the modem has had."""
        return sum(int(str(state["commands"])) for state in self.sim.state().values())

    def cpu_seconds(self) -> float:
        """Return what its processes have used: it has one for each modem, and one for events."""
        used_s = 0.0
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.getsid(int(process.name)) == self._process.pid:
                    used_s += cpu_seconds(int(process.name))
        return used_s


@contextlib.contextmanager
def _smsd(place: Path, submit: str) -> Iterator[_Smsd]:
    for name in _FOLDERS:
        (place / name).mkdir(parents=True)
    sim = Simulator(scenario(submit=submit))
    sim.start()
    settings = place / "smsd.conf"
    folders = "\n".join(f"{name} = {place}/{name}" for name in _FOLDERS)
    settings.write_text(_SETTINGS.format(folders=folders, place=place, port=sim.ports["front"]))
    with (place / "words").open("wb") as words:
        process = subprocess.Popen(
            ["smsd", "-c", str(settings), "-t"],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    try:
        time.sleep(_START_S)
        yield _Smsd(place, sim, process)
    finally:
        with contextlib.suppress(ProcessLookupError):  # its session is its group
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        sim.stop()

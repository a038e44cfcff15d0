# SPDX-License-Identifier: Apache-2.0
"""The test message: through the real daemon to a real phone, followed until its report comes.

Where no daemon runs, one is started for the time of the test, as the user that the service has.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import click

from gsmgw.cli import display, exits, overview, session
from gsmgw.cli.setup import steps
from gsmgw.clock import Clock
from gsmgw.model import MessageState, ModemState

#: How often to look, in seconds.
_LOOK_S = 0.1
#: A part in flight is finished first, and the network may take a minute for it.
_STOP_S = 90.0
#: A SIM that still wants its PIN after this wants a person.
_LOCKED_S = 15.0
_FAILED = (
    MessageState.REJECTED,
    MessageState.FAILED,
    MessageState.EXPIRED,
    MessageState.CANCELLED,
    MessageState.UNDELIVERED,
)
_WORDS = {
    MessageState.SENT: "the network has it; waiting for the phone to confirm",
    MessageState.DELIVERED: "delivered: the phone has it",
    MessageState.UNDELIVERED: "the phone did not get it",
    MessageState.UNCERTAIN: "the modem gave no answer; looking for evidence",
}


class Trial:
    """One round of test messages."""

    def __init__(self, current: session.Session, do: steps.Steps, *, wait_s: float) -> None:
        self._current = current
        self._do = do
        self._gsmgw = steps.program(current.config_path)
        self._wait_s = wait_s
        self._pause = threading.Event()

    def run(self, number: str, names: Sequence[str]) -> bool:
        """Send a message through each of some modems; return whether the network took all.

        Blocks until all is known, at most three times `wait_s` a modem.

        Args:
            number: where they go, in E.164.
            names: the modems.

        Raises:
            CommandError: no daemon can be brought up.
        """
        if self._do.is_dry:
            for name in names:
                words = f"send --modem {name} --report {number} 'Test of gsmgw'"
                self._do.show(f"{self._gsmgw} {words}")
            return True
        with self._daemon():
            results = [self._try_modem(name, number) for name in names]
            return all(results)

    # -- the daemon -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _daemon(self) -> Iterator[None]:
        if overview.daemon_pid(self._current) is not None:
            yield
            return
        with tempfile.TemporaryFile() as log:
            process = self._start(log)
            try:
                yield
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_S)
                if process.poll() is None:
                    process.kill()
                    process.wait()

    def _start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        owner = steps.daemon_owner()
        words = [
            *(sys.executable, "-m", "gsmgw", "--config", str(self._current.config_path)),
            *("run", "--ends-with", str(os.getpid())),
        ]
        click.echo("  a daemon for the time of the test:")
        self._do.show(steps.run_by_hand(self._current.config_path, owner))
        account: dict[str, Any] = {}
        if owner.user is not None:
            account = {"user": owner.user, "group": owner.group, "extra_groups": _groups(owner)}
        process = subprocess.Popen(  # noqa: S603 - our own program
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **account
        )

        def has_begun() -> bool:
            return process.poll() is not None or overview.daemon_pid(self._current) == process.pid

        self._wait(has_begun)
        if process.poll() is not None or not has_begun():
            process.kill()
            process.wait()
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
            raise exits.CommandError(f"the daemon did not start: {' / '.join(lines[-3:])}")
        return process

    # -- one modem ------------------------------------------------------------------------------

    def _try_modem(self, name: str, number: str) -> bool:
        if not self._is_ready(name):
            return False
        at = self._current.clock.now().astimezone(self._current.zone)
        text = f"Test of gsmgw, modem {name}, {at:%H:%M:%S}"
        words = ["send", "--modem", name, "--report", "--source", "setup", number, text]
        self._do.show(f"{self._gsmgw} {shlex.join(words)}")
        done = subprocess.run(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "gsmgw", "--config", str(self._current.config_path)),
                *(words[0], "--json", *words[1:]),
            ],
            capture_output=True,
            check=False,
        )
        if done.returncode != exits.OK:
            click.echo(f"    {display.safe(done.stderr.decode('utf-8', 'replace').strip())}")
            return False
        return self._follow(int(json.loads(done.stdout)["id"]))

    def _is_ready(self, name: str) -> bool:
        """Wait until a modem can send, and tell what it does until then."""
        from gsmgw.store import modems

        told, since = "", 0.0
        row: display.Row | None = None

        def look() -> bool:
            nonlocal row, told, since
            row = modems.get(self._current.database, name)
            words = "" if row is None else ": ".join(filter(None, (row["state"], row["why"])))
            now = self._current.clock.monotonic()
            if words and words != told:
                told, since = words, now
                click.echo(f"    modem {name} is {display.safe(words)}")
            state = None if row is None else row["state"]
            return state == ModemState.READY or (
                state == ModemState.NEEDS_PIN and now - since > _LOCKED_S
            )

        self._wait(look)
        if row is None or row["state"] != ModemState.READY:
            click.echo(f"    modem {name} cannot send yet; gsmgw doctor says what is wrong")
            return False
        return True

    def _follow(self, message_id: int) -> bool:
        """Tell what becomes of a message; return whether the network has it."""
        from gsmgw.store import outbox

        told: set[str] = set()
        state = MessageState.QUEUED

        def moves(*ends: MessageState) -> Callable[[], bool]:
            def look() -> bool:
                nonlocal state
                row = outbox.get(self._current.database, message_id)
                if row is None:
                    return True
                state = MessageState(row["state"])
                if state not in told:
                    told.add(state)
                    words = _WORDS.get(state, state.value)
                    why = f" ({row['error']})" if row["error"] else ""
                    click.echo(f"    message {message_id}: {display.safe(words + why)}")
                return state in ends

            return look

        self._wait(moves(MessageState.SENT, MessageState.DELIVERED, *_FAILED))
        if state is MessageState.SENT:
            self._wait(moves(MessageState.DELIVERED, *_FAILED))
        if state is MessageState.SENT:
            click.echo("    no report yet: the phone is off, or this operator gives none")
        elif state is not MessageState.DELIVERED:
            click.echo(f"    more: {display.safe(self._gsmgw)} show {message_id}")
        return state in (MessageState.SENT, MessageState.DELIVERED)

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, or the time is over."""
        clock: Clock = self._current.clock
        end = clock.monotonic() + self._wait_s
        while not condition() and clock.monotonic() < end:
            self._pause.wait(_LOOK_S)


def _groups(owner: steps.Owner) -> list[int]:
    """Return the further groups that the service gives its user."""
    import grp
    import pwd

    from gsmgw.cli.doctor import machine

    user = pwd.getpwnam(owner.user or "")
    unit = machine.unit()
    names = [] if unit is None else [name for name in unit.groups if machine.has_group(name)]
    own = os.getgrouplist(user.pw_name, user.pw_gid)
    return sorted({*own, *(grp.getgrnam(name).gr_gid for name in names)})

# SPDX-License-Identifier: Apache-2.0
"""A box whose daemon is killed at named steps, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mortal_launcher
from crash_launcher import STEPS
from site_support import PATIENCE_S, ROOT, Site

#: States in which nothing more happens to a message by itself.
AT_REST = ("sent", "delivered", "undelivered", "failed", "expired", "cancelled", "rejected")
LAUNCHER = ROOT / "tests" / "crash_launcher.py"
#: What is drawn by chance is the same in every run, so that a change is judged by what it changes.
#: With SEED in the environment it is drawn anew; `make bench` always does.
SEED = int(os.environ.get("SEED") or 17)
#: Steps at which a door claims for a modem that waits.
GIVING = ["row.committing", "row.committed", "file.committing", "file.committed", "given.committed"]
#: References that rise by one so often are believed.
WARM_UP = 9


def scenario(
    references: str = "counting", *, reports: bool = True, submit: str = "40ms", **plan: Any
) -> dict[str, Any]:
    """Return a park of one modem, quick but for the instant after Ctrl-Z."""
    front = {"name": "front", "submit": submit, "references": references, "reports": reports}
    return {"modems": [{**front, **plan}], "network": {"delivery": "10ms", "report": "10ms"}}


class CrashSite(Site):
    """A box to be killed."""

    sent_when_idle = 0

    def environment(self) -> dict[str, str]:
        """Return what the daemon is started with."""
        return {**os.environ, "PYTHONPATH": str(ROOT)}

    def crash(self, step: str) -> None:
        """Run the daemon until it dies at a step (`ctrlz.written@2`)."""
        self.begin_crash(step)
        self.await_death()

    def lose_power(
        self, step: str, chance: random.Random, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        """Run the daemon until the machine loses its power at a step, and the modem with it.

        Args:
            step: where; as for `crash`.
            chance: what is left of the last write.
            meanwhile: done over and over until then.
        """
        self.begin_crash(step, "--power")
        self.until_dead(meanwhile)
        self.sim.unplug("front")
        self._tear(chance)
        self.sim.plug("front")

    def _tear(self, chance: random.Random) -> None:
        """Leave of the last write of the database's log what may be on disk: any of it."""
        note = self.folder / "torn"
        log = self.database.with_name(self.database.name + "-wal")
        self.database.with_name(self.database.name + "-shm").unlink(missing_ok=True)
        if not note.exists():
            return
        whole, before = log.read_bytes(), int(note.read_text())
        note.unlink()
        cut = chance.randint(before, max(before, len(whole) - 1))
        rest = len(whole) - cut
        after = chance.choice((b"", bytes(rest), chance.randbytes(rest)))
        log.write_bytes(whole[:cut] + after)

    def begin_crash(self, step: str, *options: str) -> None:
        """Start the daemon; it will die at a step."""
        assert step.partition("@")[0] in STEPS
        with self.log_path.open("ab") as log:
            log.write(f"-- {step}\n".encode())
            log.flush()
            self.process = subprocess.Popen(
                mortal_launcher.command(
                    [sys.executable, str(LAUNCHER), str(self.config), step, *options]
                ),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
            )

    def await_death(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the daemon has died of SIGKILL."""
        assert self.process is not None
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the step was not reached; the log:\n{self.log}") from None
        self.process = None
        assert code == -9, f"the daemon ended by itself ({code}):\n{self.log}"

    def until_dead(self, meanwhile: Callable[[], object]) -> None:
        """Do something over and over until the daemon has died of SIGKILL."""
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            meanwhile()
            time.sleep(0.05)
        self.await_death(1.0)

    def insert_some(self, count: int, label: str) -> list[int]:
        """Insert rows with texts of their own, each to another number."""
        return [
            self.insert(f"+4850010{self._next():04d}", f"{label} {number}")
            for number in range(count)
        ]

    def _next(self) -> int:
        return len(self.rows("outbox")) + 1000

    def warm_up(self) -> None:
        """Send so many messages that the references of the SIM are believed; then stop."""
        self.start()
        ids = self.insert_some(WARM_UP, "warm-up")
        self.until(lambda: {self.message(one)["state"] for one in ids} <= set(AT_REST))
        self.stop()

    # -- rest -------------------------------------------------------------------------------------

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to be done but by a person."""
        # Where things come from before where they go: what moves on meanwhile is seen there.
        return not (
            any(incoming.received_at is None for incoming in self.sim.books.incoming)
            or any(self.sim.memory(name) for name in self.sim.names)
            or self._has_files("outgoing")
            or self._has_files("checked")
            or self.rows("outbox", f"state NOT IN {AT_REST} AND settled_at IS NULL")
            or self.rows("spool_file", "finished_at IS NULL")
            or self.rows("handout", "finished_at IS NULL")
            or self._has_files(".tmp")
        )

    def _has_files(self, folder: str) -> bool:
        place = self.spool / folder
        return place.is_dir() and any(path.is_file() for path in place.iterdir())

    def rest(self) -> None:
        """Run the daemon until nothing is left to be done."""
        if self.process is None:
            self.start()
        self.until(self.is_at_rest)

    def send_when_idle(self, step: str) -> None:
        """Send a message by the door that a step is about, if the modem has nothing to do."""
        if "state=ready" not in self.log.rpartition("\n-- ")[2]:
            return
        if self.rows("outbox", "state IN ('new', 'queued', 'sending')") or self.files("outgoing"):
            return
        self.sent_when_idle += 1
        text = f"{step} {self.sent_when_idle}"
        if step.startswith("file"):
            self.drop(text, f"To: 4850011{self.sent_when_idle:04d}\n\n{text}\n")
        else:
            self.insert_some(1, text)

    def go_on(self) -> None:
        """Run the daemon until nothing is left, also where it was killed with a part in hand.

        Whether that one went out, the references of the next ones tell.
        """
        self.insert_some(2, "afterwards")
        self.rest()

    # -- what must hold ---------------------------------------------------------------------------

    def on_air(self) -> Counter[str]:
        """Return how often the network took each text."""
        return Counter(submit.text or "" for submit in self.sim.books.taken)

    def check_once(self, *, uncertain: bool = False) -> list[dict[str, Any]]:
        """Assert that every message is sent exactly once; return the uncertain ones.

        Args:
            uncertain: some may be left in doubt; nothing is said of whether those arrived.
        """
        assert self.sim.books.duplicates() == [], self.log
        on_air = self.on_air()
        doubtful = []
        for row in self.rows("outbox"):
            if row["state"] == "uncertain" and uncertain:
                doubtful.append(row)
                continue
            assert row["state"] in ("sent", "delivered"), (dict(row), self.log)
            assert on_air[row["text"]] == 1, (dict(row), self.log)
        return doubtful

    def check_arrivals(self) -> None:
        """Assert that everything that came to the modem stands once in inbox and incoming."""
        sent = Counter(incoming.text for incoming in self.sim.books.incoming)
        assert Counter(row["text"] for row in self.rows("inbox")) == sent, self.log
        files = self.files("incoming").values()
        assert Counter(content.partition("\n\n")[2].strip() for content in files) == sent, self.log


@contextlib.contextmanager
def crash_site(
    folder: Path,
    layout: Mapping[str, object] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    **modem: Any,
) -> Iterator[CrashSite]:
    """Set up a box that does not run yet, and take it down whatever happens."""
    box = CrashSite(
        folder, layout or scenario(), settings=settings, modem={"result_timeout": "1s", **modem}
    )
    try:
        yield box
    finally:
        box.close()


def kill_at_random(box: CrashSite, messages: int, kills: int, seed: int) -> None:
    """Send messages and kill the daemon at random moments of it, then let it go on.

    What is random is drawn from the seed: after how many submits, and how long after the last. Of
    two killed in a row without an answer between, one submitted and one not, no reference can tell
    which: so at least two are submitted before each kill, however long that takes.
    """
    chance = random.Random(seed)
    box.start()
    box.stop()
    ids = box.insert_some(messages, "random")
    for left in range(kills, 0, -1):
        known = len(box.sim.books.submits)
        more = chance.randint(2, max(2, 2 * (messages - known) // (left + 1) - 1))
        if more > len(box.rows("outbox", "state IN ('new', 'queued')")):
            break
        box.start(wait=False)
        box.sim.books.wait(lambda books, to=known + more: len(books.submits) >= to, PATIENCE_S)
        box.sim.books.wait(lambda _: False, chance.uniform(0.0, 0.05))
        box.kill()
    box.start()
    box.until(lambda: all(box.message(one)["state"] in (*AT_REST, "uncertain") for one in ids))

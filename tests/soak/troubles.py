# SPDX-License-Identifier: Apache-2.0
"""What goes wrong during the soak: modems, the daemon's life, other programs at the database."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable

import yaml
from site_support import Site

#: Faults by name with what they are drawn from: seconds (`for_`, `after`, `off`) or times.
FAULTS: dict[str, dict[str, tuple[float, float]]] = {
    "hang": {"for_": (1, 12)},
    "unplug": {"for_": (0.2, 8)},
    "power-cut": {"off": (0.2, 4)},
    "brown-out": {"off": (0.2, 3)},
    "garbage": {"for_": (1, 8), "every": (0.05, 1)},
    "answer-lost": {"times": (1, 2), "for_": (20, 20)},
    "late-answer": {"times": (1, 2), "after": (0.5, 6), "for_": (20, 20)},
    "prompt-lost": {"times": (1, 2), "for_": (20, 20)},
    "deletion-refused": {"for_": (1, 10)},
    "no-network": {"for_": (1, 8)},
    "sim-full": {"for_": (1, 8)},
    "smsc-gone": {"for_": (1, 8)},
    "echo": {"for_": (1, 10)},
    "refuse": {"times": (1, 4), "for_": (10, 10)},
}
#: Codes of refusals: network, network, modem, unclear, message.
CODES = (38, 42, 302, 21, 1)


class Troubles:
    """One thing after the other goes wrong, at random times; some last while the next begins."""

    def __init__(self, box: Site, seed: int, *, every_s: float) -> None:
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        #: set it, and the daemon is killed no more: its memory is to be watched
        self.no_more_kills = threading.Event()
        self._box = box
        self._chance = random.Random(f"{seed} troubles")
        self._every_s = every_s
        self._modems = sorted(box.sim.ports)
        self._end = threading.Event()
        self._ended = threading.Event()
        self._clients: list[threading.Thread] = []
        self._starts = box.log.count("daemon.started")
        self._thread = threading.Thread(target=self._live, name="soak-troubles", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End everything that is wrong; blocks until all is well but what lies in the modems."""
        self._end.set()
        self._ended.wait()
        for client in self._clients:
            client.join()
        for name in self._modems:
            self._box.sim.clear(name)
            self._box.sim.plug(name)
        if self._box.process is None:
            self._start()

    def _live(self) -> None:
        try:
            self._run()
        finally:
            self._ended.set()
        # The kernel kills a daemon with the thread that started it: see mortal_launcher.
        threading.Event().wait()

    def _run(self) -> None:
        acts: tuple[tuple[Callable[[], None], int], ...] = (
            (self._fault, 14),
            (self._kill, 3),
            (self._reload, 2),
            (self._read_for_long, 1),
            (self._write_for_long, 2),
        )
        pool = [act for act, weight in acts for _ in range(weight)]
        while not self._end.wait(self._chance.expovariate(1 / self._every_s)):
            self._watch()
            self._chance.choice(pool)()

    def _watch(self) -> None:
        """Note a daemon that ended by itself, and start it again, as systemd would."""
        process = self._box.process
        if process is not None and process.poll() is not None:
            self.problems.append(f"the daemon ended by itself: {process.returncode}")
            self._box.process = None
            self._start()

    # -- modems -------------------------------------------------------------------------------

    def _fault(self) -> None:
        fault = self._chance.choice(list(FAULTS))
        modem = self._chance.choice(self._modems)
        arguments: dict[str, object] = {}
        for key, (low, high) in FAULTS[fault].items():
            whole = key == "times"
            drawn = self._chance.randint(int(low), int(high)) if whole else None
            arguments[key] = drawn or round(self._chance.uniform(low, high), 2)
        if fault == "refuse":
            arguments["code"] = self._chance.choice(CODES)
        elif fault == "brown-out":
            arguments["taken"] = self._chance.random() < 0.5
        elif fault == "late-answer":
            arguments["busy"] = self._chance.random() < 0.5
        self._box.sim.fault(modem, fault, **arguments)
        self.counts[fault] += 1

    # -- the daemon ---------------------------------------------------------------------------

    def _start(self) -> None:
        self._box.start(wait=False)
        self._starts += 1

    @property
    def _is_up(self) -> bool:
        return self._box.log.count("daemon.started") >= self._starts

    def _kill(self) -> None:
        if self.no_more_kills.is_set():
            return
        self.counts["SIGKILL"] += 1
        self._box.kill()
        self._end.wait(self._chance.uniform(0.0, 2.0))
        self._start()

    def _reload(self) -> None:
        """Change the configuration; now and then to a wrong one, which must change nothing."""
        if not self._is_up:  # before that a signal would end it
            return
        good = self._box.config.read_text()
        if self._chance.random() < 0.3:
            refused = self._box.log.count("config.refused")
            self._configure(good.replace("modems:", "modms:"))
            self._box.reload()
            for _ in range(100):
                if self._box.log.count("config.refused") > refused or self._end.wait(0.1):
                    break
            self._configure(good)
            self.counts["SIGHUP, wrong"] += 1
            return
        document = yaml.safe_load(good)
        document["missed_calls"] = {"rings": self._chance.randint(1, 2)}
        document["sending"]["retry"]["longest"] = f"{self._chance.randint(2, 5)}s"
        self._configure(yaml.safe_dump(document))
        self._box.reload()
        self.counts["SIGHUP"] += 1

    def _configure(self, content: str) -> None:
        aside = self._box.config.with_suffix(".aside")
        aside.write_text(content)
        aside.rename(self._box.config)

    # -- other programs at the database -------------------------------------------------------

    def _read_for_long(self) -> None:
        """Keep a read transaction open, so that the write-ahead log cannot be folded back."""
        self.counts["long reader"] += 1
        self._client("BEGIN", self._chance.uniform(5, 20))

    def _write_for_long(self) -> None:
        """Hold the lock for writing, so that nothing can be settled or claimed."""
        self.counts["long writer"] += 1
        self._client("BEGIN IMMEDIATE", self._chance.uniform(0.5, 5))

    def _client(self, begin: str, seconds: float) -> None:
        def work() -> None:
            database = sqlite3.connect(self._box.database, timeout=30, isolation_level=None)
            try:
                database.execute(begin)
                database.execute("SELECT count(*) FROM outbox").fetchone()
                self._end.wait(seconds)
                database.execute("ROLLBACK")
            except sqlite3.OperationalError as error:
                self.problems.append(f"another program could not open its transaction: {error}")
            finally:
                database.close()

        client = threading.Thread(target=work, name="soak-client")
        self._clients = [one for one in self._clients if one.is_alive()] + [client]
        client.start()

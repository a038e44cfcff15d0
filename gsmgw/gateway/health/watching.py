# SPDX-License-Identifier: Apache-2.0
"""Service: tells watchers each minute how things are, in a file of the spool and one of metrics.

Theory of operation: the record is gathered once a minute, written beside the file and renamed, so
that a reader never sees half of it. Nothing is fsynced: after a power cut the next minute brings a
new one. A file that stays old tells that the daemon does not run; it is left when it stops.

On failure: what cannot be gathered or written is said in the log, once a minute at most, and tried
again a minute later. Nothing else waits for it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from gsmgw import logs
from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.errors import StoreError
from gsmgw.gateway.health import judgement, metrics, record
from gsmgw.store.database import Database
from gsmgw.threads import StopToken

log = logs.get("gateway")

EVERY_S = 60.0
#: The first files come after so long; a wait in `step` ends at once when it is to stop.
SOON_S, STEP_S = 1.0, 10.0
#: For the group, as everything in the spool; the metrics are for node_exporter, which is nobody.
_STATUS_MODE, _METRICS_MODE = 0o640, 0o644


class Watching:
    """Writes `status.json` into the spool and, where `watching.metrics` asks for it, metrics."""

    name = "watching"

    def __init__(
        self,
        config: Config,
        db: Database,
        clock: Clock,
        outgoing: Callable[[], record.Outgoing | None],
    ) -> None:
        self._config = config
        self._db = db
        self._clock = clock
        self._outgoing = outgoing
        self._write_at = 0.0

    def open(self) -> None:
        """Have the first files written soon: when the modems have had a moment to come up."""
        self._write_at = self._clock.monotonic() + SOON_S

    def step(self, stop: StopToken) -> None:
        """Wait until a minute is over, some seconds at most, and write if it is."""
        left_s = max(0.0, self._write_at - self._clock.monotonic())
        if not stop.wait(min(left_s, STEP_S)) and self._clock.monotonic() >= self._write_at:
            self._write_at = self._clock.monotonic() + EVERY_S
            self.write()
            logs.tell()

    def write(self) -> None:
        """Gather the record and write it. Blocks for a few queries and the disk."""
        health = self._gather()
        if health is None:
            return
        troubles = judgement.judge(health)
        document = judgement.document(health, troubles)
        text = json.dumps(document, ensure_ascii=False, default=str) + "\n"
        self._put(self._config.spool.path / "status.json", text, _STATUS_MODE)
        path = self._config.watching.metrics
        if path is not None:
            self._put(path, metrics.format_metrics(health, troubles), _METRICS_MODE)

    def close(self) -> None:
        """Close this thread's connection."""
        self._db.close()

    def _gather(self) -> record.Health | None:
        try:
            return record.gather(
                self._config,
                self._db,
                self._clock.now(),
                daemon_pid=os.getpid(),
                outgoing=self._outgoing(),
            )
        except StoreError as error:
            log.warning("store.unavailable", doing="watching", why=str(error))
            return None

    def _put(self, path: Path, text: str, mode: int) -> None:
        aside = path.with_name(f".{path.name}.tmp")
        try:
            aside.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(aside, flags, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                os.fchmod(file.fileno(), mode)
                file.write(text)
            aside.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            why = f"{path}: {error.strerror or error}"
            log.warning("watching.failed", key=("path",), path=str(path), why=why)

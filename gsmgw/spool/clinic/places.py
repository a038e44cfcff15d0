# SPDX-License-Identifier: Apache-2.0
"""The clinic's folders below the spool's root: in, done, failed and out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gsmgw.spool import layout


@dataclass(frozen=True, slots=True)
class Places:
    """Where the clinic's program puts files, and where it finds them."""

    spool: Path  #: the spool's root

    @property
    def root(self) -> Path:
        """All of them."""
        return self.spool / "clinic"

    @property
    def inside(self) -> Path:
        """Where the clinic's program drops files."""
        return self.root / "in"

    @property
    def done(self) -> Path:
        """Files that were taken, with the day in their names."""
        return self.root / "done"

    @property
    def failed(self) -> Path:
        """Files of which nothing could be used, with the reason beside."""
        return self.root / "failed"

    @property
    def out(self) -> Path:
        """Lists for people."""
        return self.root / "out"

    @property
    def ack(self) -> Path:
        """What became of each file."""
        return self.out / "ack"

    @property
    def replies(self) -> Path:
        """One file for each answer; the clinic's program removes them."""
        return self.out / "replies"

    @property
    def stats(self) -> Path:
        """Figures by day and month."""
        return self.out / "stats"

    def folders(self) -> tuple[Path, ...]:
        """Return all of them, those above first."""
        return (
            self.root, self.inside, self.done, self.failed,
            self.out, self.ack, self.replies, self.stats,
        )  # fmt: skip

    def make(self, group: str | None) -> None:
        """Make what is missing; blocks for a moment.

        Raises:
            GsmgwError: as `Layout.make`.
        """
        layout.make_all(self.folders(), group)

# SPDX-License-Identifier: Apache-2.0
"""Applies the rows of a claimed file, piece by piece, and says what became of each.

Theory of operation: a piece is one transaction that holds what its rows changed and how far the
file is, so a crash repeats nothing and loses nothing: the file is read again and goes on where it
was. A piece ends as soon as somebody else wants to write (`locks.Pace`), and what needs no database
is done before it begins. So a stop is obeyed between two pieces, and a long file takes several
steps of its service.

On failure: StoreError when a piece could not be stored; it is tried again from there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from gsmgw import logs
from gsmgw.clinic.booking import Booking, Taken
from gsmgw.clinic.interchange import hl7_acks, hl7_messages, json_records, table
from gsmgw.clinic.interchange.parsed import Parsed, UnreadableFileError
from gsmgw.clinic.interchange.parsed import Row as FileRow
from gsmgw.clinic.model import VisitRecord
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.errors import RefusedRecordError
from gsmgw.locks import Piece
from gsmgw.store.clinic import imports
from gsmgw.store.clinic.imports import Progress
from gsmgw.store.database import Database, Row, Transaction
from gsmgw.threads import StopToken

log = logs.get("clinic")

#: Rows of one piece at most, some 10 ms.
ROWS_AT_ONCE = 50
#: After so long the rest of a file is left to the next step, lest the service seem to hang.
LONGEST_S = 20.0
#: A file of which so many rows are wrong says so no more for each.
MOST_NAMED = 1000
#: One row warns of fewer things than these.
_WARNINGS = 20
_TOO_SHORT = "snapshot-too-short"
#: A snapshot with fewer than this part of the visits known for a day cancels none of that day.
SHORTEST_SNAPSHOT = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file."""

    progress: Progress
    parsed: Parsed | None
    unreadable: str | None = None  #: why nothing of it could be used
    is_whole: bool = True  #: False: some of it is left for the next time


class Importing:
    """Reads claimed files and applies them."""

    def __init__(self, config: Config, db: Database, booking: Booking) -> None:
        self._config = config
        self._db = db
        self._booking = booking

    def apply(self, file: Row, content: bytes, stop: StopToken) -> Outcome:
        """Apply what is left of a file; blocks for as many commits as it has pieces.

        Some of it is left if it takes longer than `LONGEST_S`, or is stopped.

        Raises:
            StoreError: the store cannot write now; call again with the file's row as it is then.
        """
        progress = imports.progress_of(file)
        try:
            parsed = self._parse(content, str(file["name"]))
        except UnreadableFileError as error:
            return Outcome(progress, None, str(error))
        except Exception as error:  # noqa: BLE001 - one file must not stop the others
            log.error("clinic.file_defect", error=f"{type(error).__name__}: {logs.masked(error)}")
            return Outcome(progress, None, "it cannot be read, by a defect of gsmgw; see the log")
        if not parsed.rows:
            return Outcome(progress, None, "there is no row below the header")
        if progress.next == 0:
            with self._db.write() as tx:
                imports.describe(
                    tx,
                    file["id"],
                    parsed.kind,
                    hashlib.sha256(content).hexdigest(),
                    [day.isoformat() for day in parsed.days],
                )
                progress.remarks = list(parsed.remarks)  # again, if killed before the first piece
                imports.advance(tx, file["id"], progress)
        self._apply_rows(file, parsed, progress, stop)
        return Outcome(progress, parsed, is_whole=self._is_whole(parsed, progress))

    def _parse(self, content: bytes, name: str) -> Parsed:
        suffix = name.rpartition(".")[2].casefold()
        if suffix == "json":
            return json_records.parse(content, name, self._config)
        if suffix == "hl7":
            return hl7_messages.parse(content, self._config)
        if suffix in ("csv", "txt"):
            return table.parse(content, name, self._config)
        raise UnreadableFileError(f"{name}: a name ends in .csv, .json or .hl7")

    def _apply_rows(self, file: Row, parsed: Parsed, progress: Progress, stop: StopToken) -> None:
        clock, prepared = self._db.clock, 0
        ends = clock.monotonic() + LONGEST_S
        while not self._is_whole(parsed, progress) and clock.monotonic() < ends:
            with self._db.pace.piece(stop.wait) as piece:
                if stop.is_set():
                    return
                rows = parsed.rows[progress.next : progress.next + ROWS_AT_ONCE]
                unread = rows[max(prepared - progress.next, 0) :]
                self._booking.prepare(row.record for row in unread if row.record is not None)
                prepared = progress.next + len(rows)
                # After a loss of power it would be made again, from the file: no need for a sync.
                with self._db.write(synced=False) as tx:
                    self._apply_piece(tx, piece, parsed, progress, int(file["id"]))

    def _apply_piece(
        self, tx: Transaction, piece: Piece, parsed: Parsed, progress: Progress, file_id: int
    ) -> None:
        if progress.next == 0 and self._is_snapshot(parsed):
            self._check_length(tx, parsed, progress)
        for row in parsed.rows[progress.next : progress.next + ROWS_AT_ONCE]:
            if piece.is_over() or not self._apply_row(tx, piece, row, progress, file_id):
                break
            progress.next += 1
        if progress.next == len(parsed.rows) and not self._is_whole(parsed, progress):
            self._cancel_missing(tx, piece, parsed, progress, file_id)
        imports.advance(tx, file_id, progress)

    def _is_snapshot(self, parsed: Parsed) -> bool:
        return parsed.kind == "visits" and self._config.imports.visits.mode == "snapshot"

    def _is_whole(self, parsed: Parsed, progress: Progress) -> bool:
        is_read = progress.next >= len(parsed.rows)
        return is_read and (progress.is_swept or not self._is_snapshot(parsed))

    # -- rows -------------------------------------------------------------------------------------

    def _apply_row(
        self, tx: Transaction, piece: Piece, row: FileRow, progress: Progress, file_id: int
    ) -> bool:
        """Apply one row; False if some of it is left for the next piece."""
        code, why = self._ack_before(tx, row), ""
        if code is not None:
            progress.accepted += 1
        else:
            found = self._take(tx, piece, row, progress, file_id)
            if found is None:
                return False
            why = found
            code = row.ack_code if why else hl7_acks.ACCEPTED
            # What was refused is judged anew: whatever was in the way may have been mended.
            if row.identity is not None and code == hl7_acks.ACCEPTED:
                imports.remember_message(
                    tx, row.identity.sender, row.identity.control_id, row.identity.sha256, code
                )
        if row.ack_head and code != hl7_acks.ACCEPTED:
            progress.acks.append([progress.next, code, why])
        return True

    def _ack_before(self, tx: Transaction, row: FileRow) -> str | None:
        identity = row.identity
        if identity is None:
            return None
        return imports.message_ack(tx, identity.sender, identity.control_id, identity.sha256)

    def _take(
        self, tx: Transaction, piece: Piece, row: FileRow, progress: Progress, file_id: int
    ) -> str | None:
        """Apply one row; return why it is refused, "" if it is not, None if some of it is left."""
        why, taken = row.error or "", Taken()
        if row.record is not None:
            try:
                taken = self._booking.take(tx, row.record, file_id=file_id, is_over=piece.is_over)
            except RefusedRecordError as error:
                why = str(error)
        progress.requests += taken.requests
        warned = [{"row": row.number, "why": code} for code in (*row.warnings, *taken.warnings)]
        if not why and len(progress.warnings) < MOST_NAMED:
            # What was left of a row before may have warned of the same.
            known = progress.warnings[-_WARNINGS:]
            progress.warnings += [warning for warning in warned if warning not in known]
        if not taken.is_whole:
            return None
        if why:
            progress.refused += 1
            if len(progress.errors) < MOST_NAMED:
                progress.errors.append({"row": row.number, "why": why})
            return why
        progress.accepted += 1
        return ""

    # -- snapshots --------------------------------------------------------------------------------

    def _check_length(self, tx: Transaction, parsed: Parsed, progress: Progress) -> None:
        """Note which days of a snapshot are too short to be believed, before rows are applied."""
        now: dict[dt.date, set[str]] = {day: set() for day in parsed.days}
        for row in parsed.rows:
            visit = row.record
            if isinstance(visit, VisitRecord) and visit.start is not None:
                now[visit.start.astimezone(self._config.zone).date()].add(visit.id)
        for day in sorted(parsed.days):
            before = imports.count_booked(tx, *self._span(day))
            if len(now[day]) >= before * SHORTEST_SNAPSHOT:
                continue
            progress.remarks.append(
                f"{_TOO_SHORT}: {day} has {len(now[day])} visits, {before} were known; none of that"
                " day was cancelled"
            )
            log.warning("clinic.snapshot_short", day=str(day), now=len(now[day]), before=before)

    def _cancel_missing(
        self, tx: Transaction, piece: Piece, parsed: Parsed, progress: Progress, file_id: int
    ) -> None:
        """Cancel what a snapshot lacks, until others want to write; the next piece goes on."""
        if progress.refused:
            progress.is_swept = True
            progress.remarks.append(
                "snapshot-incomplete: rows were refused, which may be visits; nothing was cancelled"
            )
            return
        days = [
            day
            for day in sorted(parsed.days)
            if not any(remark.startswith(f"{_TOO_SHORT}: {day} ") for remark in progress.remarks)
        ]
        cancelled, progress.is_swept = self._booking.cancel_missing(
            tx, days, file_id, piece.is_over
        )
        progress.cancelled += cancelled
        if progress.is_swept and progress.cancelled:
            progress.remarks.append(
                f"visits cancelled because the file lacks them: {progress.cancelled}"
            )

    def _span(self, day: dt.date) -> tuple[str, str]:
        """Return the beginning and end of a day of the clinic, as the store writes times."""
        zone = self._config.zone
        midnight = dt.datetime.combine(day, dt.time(), zone)
        following = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
        return format_utc(midnight), format_utc(following)

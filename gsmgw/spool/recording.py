# SPDX-License-Identifier: Apache-2.0
"""Claimed files: read, cut into messages, and stored together with what intake says to them.

Theory of operation: what is wrong with a file or with one of its elements is stored as its outcome,
and the results service puts the file where it belongs. One transaction holds a batch of files with
their messages, of a long list a piece; a list that was cut short by a crash is continued where it
ended, because the file still says how many elements it has. If our own code stumbles, each file,
and each element, is stored by itself and the one that did it is refused.

On failure: StoreError when nothing was stored; the files stay claimed.
"""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, replace

from gsmgw import logs
from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.errors import BadFileError, RejectedError, StoreError
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.model import Draft, MessageState
from gsmgw.spool import files, layout, names, stories
from gsmgw.spool.formats import json_format, smstools
from gsmgw.spool.layout import Layout
from gsmgw.store import outbox, spool_files
from gsmgw.store.database import Database, Transaction

log = logs.get("spool")

#: Elements of one file that share a transaction: other writers wait for less than its 20 ms.
ELEMENTS_AT_ONCE = 100
#: A message of which the file in `failed/` no longer tells the truth.
_GONE_ON = (
    MessageState.QUEUED,
    MessageState.SENDING,
    MessageState.SENT,
    MessageState.DELIVERED,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an element of a file is not accepted."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a file, as it was read."""

    draft: Draft | None
    refusal: Refusal | None = None
    reference: str | None = None
    recipient: str | None = None
    gsmgw_id: int | None = None  #: of an earlier message, with which the file came back
    had_failed: bool = False  #: and from `failed/`


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that lies in `checked/`."""

    name: str  #: there
    original_name: str  #: in `outgoing/`


@dataclass(frozen=True, slots=True)
class Taken:
    """A claimed file and what stands in it."""

    claim: Claim
    file_format: str  #: smstools, json, or unread: it is put away as it is
    elements: tuple[Element, ...]


class Recorder:
    """Reads claimed files and stores what stands in them; of one service, in its thread."""

    def __init__(
        self,
        config: Config,
        place: Layout,
        db: Database,
        intake: Intake,
        hints: Hints,
        clock: Clock,
    ) -> None:
        self._checked = place.checked
        self._db = db
        self._intake = intake
        self._hints = hints
        self._clock = clock
        self._owners: dict[int, str] = {}
        self._stored_of: dict[Claim, int] = {}  # elements, of lists that are not complete
        self._zone = config.zone
        self._modems = [modem.name for modem in config.modems]
        self._service_centres = any(modem.service_centre for modem in config.modems)

    def owner(self, user_id: int) -> str:
        """Return a user's name, the source of files that name none."""
        if user_id not in self._owners:
            self._owners[user_id] = layout.owner_name(user_id)
        return self._owners[user_id]

    def read(self, claim: Claim) -> Taken:
        """Read a claimed file; what is wrong with it stands in the answer.

        Raises:
            OSError: the disk failed; it may be better later.
        """
        try:
            content, status = files.read(self._checked / claim.name)
        except (files.NotRegularError, FileNotFoundError, PermissionError) as error:
            words = f"the file was exchanged while it was taken: {error.strerror}"
            return _refused(claim, "smstools", BadFileError(words))
        if len(content) > files.LONGEST_FILE:
            words = "the file is longer than 1 MiB"
            return _refused(claim, "unread", BadFileError(words))
        file_format = "json" if json_format.is_json(content) else "smstools"
        try:
            return Taken(claim, file_format, self._parse(claim, content, status, file_format))
        except RejectedError as error:
            return _refused(claim, file_format, error)
        except Exception as error:  # noqa: BLE001 - one file must not stop the others
            format_kept = "unread" if file_format == "json" else file_format
            return Taken(claim, format_kept, (Element(None, _stumbled(claim, error)),))

    def _parse(
        self, claim: Claim, content: bytes, status: os.stat_result, file_format: str
    ) -> tuple[Element, ...]:
        source = self.owner(status.st_uid)
        spool_file = names.to_text(claim.name)
        if file_format == "json":
            return tuple(
                Element(
                    item.draft,
                    Refusal(BadFileError.reason, item.error) if item.error else None,
                    item.reference,
                    item.recipient,
                )
                for item in json_format.parse(content, source=source, spool_file=spool_file)
            )
        around = smstools.Surroundings(
            source=source,
            spool_file=spool_file,
            now=self._clock.now(),
            zone=self._zone,
            modems=self._modems,
            service_centres=self._service_centres,
        )
        outgoing = smstools.parse(content, around)
        draft = outgoing.draft
        came = outgoing.gsmgw_id, outgoing.had_failed
        return (Element(draft, None, draft.reference, draft.recipient, *came),)

    def record(self, taken: list[Taken]) -> list[Claim]:
        """Store files and their messages together, of a long list a piece; return what is complete.

        What makes our own code stumble is refused, alone. Blocks for one commit, which is followed
        by the hints. Call again with those that are not complete.

        Raises:
            StoreError: the last piece was not stored.
        """
        complete = self._try_together(taken, ELEMENTS_AT_ONCE)
        if not isinstance(complete, Exception):
            return complete
        if len(taken) > 1:
            return [claim for one in taken for claim in self.record([one])]
        return self._record_singly(taken[0])

    def _record_singly(self, taken: Taken) -> list[Claim]:
        """Store elements one by one, in place of one that makes us stumble why it is refused."""
        for _ in range(ELEMENTS_AT_ONCE):
            complete = self._try_together([taken], 1)
            if isinstance(complete, Exception):
                at = self._stored(self._db, taken.claim)
                elements = list(taken.elements)
                elements[at] = Element(None, _stumbled(taken.claim, complete))
                taken = replace(taken, elements=tuple(elements))
            elif complete:
                return complete
        return []

    def _try_together(self, taken: list[Taken], most: int) -> list[Claim] | Exception:
        """Store files, so many elements of each at most; return what is complete, or our fault."""
        try:
            # What stands in `checked/` is on disk, and without a row it is read again.
            with self._intake.writing(synced=False) as tx:
                # First of all that follows: a modem need not wait for the lines of the log.
                tx.after_commit(self._hints.due)
                return [one.claim for one in taken if self._record_one(tx, one, most)]
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one file must not stop the others
            return error

    def _record_one(self, tx: Transaction, taken: Taken, most: int) -> bool:
        """Store a file, or go on where the last piece ended; tell whether it is complete."""
        claim = taken.claim
        row = spool_files.get_open(tx, names.to_text(claim.name))
        if row is None:
            begin = 0
            file_id = spool_files.add(
                tx,
                name=names.to_text(claim.name),
                original_name=names.to_text(claim.original_name),
                file_format=taken.file_format,
            )
        else:
            begin, file_id = self._stored(tx, claim), row["id"]
        end = min(begin + most, len(taken.elements))
        settled = end == len(taken.elements) > 1  # a short list may be settled before its end came
        for position in range(begin, end):
            entry, is_settled = self._accept(tx, position, taken.elements[position])
            spool_files.add_entry(tx, file_id, entry)
            settled = settled or is_settled
            if entry.error_code is not None:
                self._tell_refused(tx, claim, taken, entry)
        if settled:
            tx.after_commit(self._hints.results.set)
        is_complete = end == len(taken.elements)
        tx.after_commit(lambda: self._remember(claim, None if is_complete else end))
        return is_complete

    def _remember(self, claim: Claim, stored: int | None) -> None:
        self._stored_of.pop(claim, None)
        if stored is not None:
            self._stored_of[claim] = stored

    def _stored(self, db: Database | Transaction, claim: Claim) -> int:
        """Return how many elements of a file are stored."""
        if claim in self._stored_of:
            return self._stored_of[claim]
        row = spool_files.get_open(db, names.to_text(claim.name))
        return 0 if row is None else len(spool_files.entries(db, row["id"]))

    def _accept(
        self, tx: Transaction, position: int, element: Element
    ) -> tuple[spool_files.Entry, bool]:
        """Hand one element to intake; return what is stored of it, and whether it is settled."""
        refusal = element.refusal or _came_back(tx, element)
        entry = spool_files.Entry(position, None, element.reference, element.recipient)
        if refusal is None and element.draft is not None:
            try:
                accepted = self._intake.accept(tx, element.draft)
            except RejectedError as error:
                refusal = Refusal(error.reason, str(error))
            else:
                is_waiting = accepted.state in (MessageState.QUEUED, MessageState.SENDING)
                return replace(entry, message_id=accepted.message_id), not is_waiting
        refusal = refusal or Refusal(BadFileError.reason, "there is nothing in it")
        return replace(entry, error_code=refusal.code, error=refusal.words), True

    def _tell_refused(
        self, tx: Transaction, claim: Claim, taken: Taken, entry: spool_files.Entry
    ) -> None:
        many = len(taken.elements) > 1
        tx.after_commit(
            lambda: log.warning(
                "spool.rejected",
                key=("file", "reason"),
                file=names.shown(claim.original_name),
                element=entry.position if many else None,
                reason=entry.error_code,
                why=logs.masked(entry.error),
            )
        )


def _refused(claim: Claim, file_format: str, error: RejectedError) -> Taken:
    return Taken(claim, file_format, (Element(None, Refusal(error.reason, str(error))),))


def _stumbled(claim: Claim, error: Exception) -> Refusal:
    # Not the error's own words: they may hold what the file says.
    words = f"gsmgw could not read it; this is a fault in gsmgw ({type(error).__name__})"
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("spool.stumbled", file=names.shown(claim.original_name), why=words, trace=trace)
    return Refusal(BadFileError.reason, words)


def _came_back(tx: Transaction, element: Element) -> Refusal | None:
    """Refuse a file whose message may have arrived: a person decides, with `gsmgw retry`.

    Also one out of `failed/` whose message has gone on since: a person has retried it, or a late
    report has shown that it arrived. A script that moves all failed files back knows of neither.
    (With a reference it is a repeat, and intake gives it the fate of the first.)
    """
    if element.gsmgw_id is None:
        return None
    message = outbox.get(tx, element.gsmgw_id)
    if message is None:
        return None
    if message["state"] == MessageState.UNCERTAIN:
        return Refusal(stories.UNCERTAIN, stories.uncertain_words(element.gsmgw_id))
    if element.had_failed and not element.reference and message["state"] in _GONE_ON:
        words = stories.not_again_words(element.gsmgw_id, message["state"])
        return Refusal(stories.NOT_AGAIN, words)
    return None

# SPDX-License-Identifier: Apache-2.0
"""The balance of a soak: what went in, what gsmgw says of it, what the simulator's books say.

`Balance.differences` is empty if all of it agrees; each difference names the item.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import Any

from site_support import Site
from traffic import SOURCE, UNCLEAR, UNDELIVERED, WRONG, Ledger, Put

from gsmgw.simulator.books import Submit

Row = dict[str, Any]
Key = tuple[str, str, int, int | None]

TAKEN = ("sent", "delivered", "undelivered")
FINAL = (*TAKEN, "failed", "expired", "rejected", "cancelled", "uncertain")
#: In the file of a message that was given up as uncertain; a late report moves the message only.
IN_DOUBT = "Uncertain, may have arrived"
FOLDERS = ("outgoing", "checked", "sent", "failed", "incoming", "report", ".tmp")


def is_quiet(box: Site) -> bool:
    """Tell whether nothing moves any more."""
    books = box.sim.books
    return not (
        box.rows("outbox", "state IN ('new', 'queued', 'sending') OR settled_at IS NULL")
        or box.rows("spool_file", "finished_at IS NULL")
        or box.rows("handout", "finished_at IS NULL")
        or any(box.files(folder) for folder in ("outgoing", "checked", ".tmp"))
        or any(record.received_at is None for record in (*books.incoming, *books.reports))
        or any(box.sim.memory(name, kind) for name in box.sim.ports for kind in ("SM", "ME", "SR"))
    )


def _on_air_key(submit: Submit) -> Key:
    """Return what tells a part from all others: the tails of long texts may be alike."""
    concat = submit.concat or {"number": 1, "ref": None}
    return submit.recipient or "", submit.text or "", concat["number"] or 1, concat["ref"]


def _part_key(row: Row, part: Row) -> Key:
    ref = row["concat_ref"] if row["parts"] > 1 else None
    return row["recipient"], part["text"], part["number"], ref


class Balance:
    """One look at everything; the daemon should be quiet."""

    def __init__(self, box: Site, ledger: Ledger) -> None:
        self.differences: list[str] = []
        self.lines: list[str] = []
        self._box = box
        self._ledger = ledger
        self._outbox = box.rows("outbox")
        self._by_reference: dict[str, list[Row]] = defaultdict(list)
        for row in self._outbox:
            self._by_reference[row["reference"] or ""].append(row)
        self._parts: dict[int, list[Row]] = defaultdict(list)
        for part in box.rows("part"):
            self._parts[part["message_id"]].append(part)
        self._files = {folder: box.files(folder) for folder in FOLDERS}
        self._on_air = Counter(map(_on_air_key, box.sim.books.taken))
        self._arrived = Counter((d.recipient, d.text) for d in box.sim.books.delivered)
        self._messages()
        self._air()
        self._spool()
        self._results()
        self._arrivals()
        self._calls()
        self._reports()
        self._store()

    def _differs(self, *words: object) -> None:
        self.differences.append(" ".join(str(word) for word in words))

    def _print(self, what: str, number: int, detail: object = "") -> None:
        words = detail
        if isinstance(detail, Counter):
            words = ", ".join(f"{key} {count}" for key, count in sorted(detail.items()))
        self.lines.append(f"{what:<34}{number:>7}  {words}".rstrip())

    # -- messages -----------------------------------------------------------------------------

    def _messages(self) -> None:
        puts = self._ledger.puts
        wrong = [put for put in puts if put.is_wrong and put.door != "row"]
        repeats = [put for put in puts if put.repeats]
        states = Counter(row["state"] for row in self._outbox)
        self._print("put through a door", len(puts), Counter(put.door for put in puts))
        self._print("  refused, no row", len(wrong))
        self._print("  repeats of a reference", len(repeats))
        accepted = len(puts) - len(wrong) - len(repeats)
        self._print("rows that must be there", accepted)
        self._print("rows that are there", len(self._outbox), states)
        if accepted != sum(states[state] for state in FINAL):
            self._differs("rows:", accepted, "must be there, found", dict(states))
        for put in puts:
            self._message(put)
        known = {put.reference for put in puts}
        for reference in self._by_reference.keys() - known:
            self._differs("row that nobody wrote:", self._by_reference[reference])

    def _message(self, put: Put) -> None:
        rows = self._by_reference.get(put.reference, [])
        if put.is_wrong and put.door != "row":
            if rows:
                self._differs("wrong, and yet accepted:", put, rows)
            return
        if len(rows) != 1:
            self._differs("must be one row:", put, rows)
            return
        row = rows[0]
        if put.is_wrong:
            if row["state"] != "rejected":
                self._differs("wrong, and yet accepted:", put, row)
        elif (row["recipient"], row["text"], row["source"]) != (put.recipient, put.text, SOURCE):
            self._differs("changed on the way:", put, row)

    def _air(self) -> None:
        """Compare every part with what the network took."""
        books = self._box.sim.books
        counts = books.counts()
        known: Counter[str] = Counter()
        doubtful = {True: 0, False: 0}
        refused: Counter[Key] = Counter()
        of_parts = set()
        for row in self._outbox:
            for part in self._parts[row["id"]]:
                key = _part_key(row, part)
                of_parts.add(key)
                taken = self._on_air[key]
                known[part["state"]] += 1
                if part["state"] == "uncertain":
                    doubtful[taken > 0] += 1
                allowed = {"uncertain": (0, 1)}.get(
                    part["state"], (1,) if part["state"] in TAKEN else (0,)
                )
                if part["state"] == "sent" and part["proof"] == "counter" and not taken:
                    refused[key] += 1  # the counter tells that it was submitted, and no more
                    continue
                if taken not in allowed:
                    self._differs("on the air", taken, "times:", part, "of", row)
            self._phone(row)
        for key in self._on_air.keys() - of_parts:
            self._differs("on the air, but of no message:", key)
        twice = sum(count - 1 for count in self._on_air.values())
        self._print("parts on the air", counts["taken"], f"twice {twice}")
        self._print("  refused by the network", counts["refused"])
        self._print("  lost in the modem", counts["lost"])
        self._print("parts in the database", known.total(), known)
        self._print("  sent by the counter, but refused", refused.total())
        self._print("  uncertain that were taken", doubtful[True], f"not taken {doubtful[False]}")
        for key in refused.keys() - {_on_air_key(s) for s in books.submits}:
            self._differs("called sent by the counter, but never submitted:", key)
        believed = sum(known[state] for state in TAKEN) - refused.total()
        if counts["taken"] != believed + doubtful[True]:
            self._differs("parts: the network took", counts["taken"], "we say", dict(known))

    def _phone(self, row: Row) -> None:
        """Compare a message with what its recipient's phone got."""
        found = self._arrived[row["recipient"], row["text"]]
        parts = self._parts[row["id"]]
        taken = all(self._on_air[_part_key(row, part)] for part in parts)
        takes = row["recipient"] not in WRONG + UNCLEAR + UNDELIVERED
        expected = int(bool(parts) and taken and takes)
        if found != expected:
            self._differs("at the phone", found, "times, expected", expected, row)
        if row["state"] == "delivered" and not found:
            self._differs("called delivered, but the phone never had it:", row)
        if row["state"] == "undelivered" and found:
            self._differs("called undelivered, but the phone has it:", row)

    # -- the spool ----------------------------------------------------------------------------

    def _spool(self) -> None:
        places: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for folder in ("outgoing", "checked", "sent", "failed", ".tmp"):
            for name, content in self._files[folder].items():
                mark = re.search(r"^X-Soak: (.*)$", content, re.MULTILINE)
                if not name.endswith(".result.json"):
                    places[mark[1] if mark else name].append((folder, content))
        expected = {put.mark or put.file: put for put in self._ledger.puts if put.file}
        self._print(
            "files put into outgoing",
            len(expected),
            Counter(folder for found in places.values() for folder, _ in found),
        )
        for key, put in expected.items():
            found = places.pop(str(key), [])
            if len(found) != 1:
                self._differs("must be in one folder:", put, [folder for folder, _ in found])
            elif put.mark:
                self._letter(put, *found[0])
        for key, found in places.items():
            self._differs("file that nobody wrote:", key, found)

    def _letter(self, put: Put, folder: str, content: str) -> None:
        """Compare a smstools file with its message."""
        rows = self._by_reference.get(put.reference, [])
        state = rows[0]["state"] if rows and not put.is_wrong else "rejected"
        wanted = "sent" if state in TAKEN else "failed"
        was_in_doubt = folder == "failed" and state in TAKEN and IN_DOUBT in content
        if folder != wanted and not was_in_doubt:
            self._differs("in", folder, "but", state, put, content)
        elif rows and f"\nGsmgw_id: {rows[0]['id']}\n" not in content:
            self._differs("wrong or no Gsmgw_id:", put, content)
        if not content.endswith(f"\n\n{put.text}\n"):
            self._differs("changed in the file:", put, content)

    def _results(self) -> None:
        """Compare the result documents of lists with the rows."""
        names = {put.file for put in self._ledger.puts if put.door == "list"}
        elements = [put for put in self._ledger.puts if put.door == "list"]
        self._print("lists", len(names), f"elements {len(elements)}")
        documents: dict[str, list[Row]] = {}
        for folder in ("sent", "failed"):
            for name, content in self._files[folder].items():
                if name.endswith(".result.json"):
                    document = json.loads(content)
                    documents[document["file"]] = document["messages"]
                    if name.removesuffix(".result.json") not in self._files[folder]:
                        self._differs("result without its file:", folder, name)
        for put in elements:
            told = next(
                (e for e in documents.get(str(put.file), []) if e["index"] == put.index), None
            )
            row = next(iter(self._by_reference.get(put.reference, [])), None)
            expected = (None, "rejected") if row is None else (row["id"], row["state"])
            if told is None or (told["id"], told["state"]) != expected:
                self._differs("the result says", told, "the row", expected, put)

    # -- what came in -------------------------------------------------------------------------

    def _arrivals(self) -> None:
        books = self._box.sim.books
        told = Counter((one.sender, one.text) for one in self._ledger.told)
        rows = self._box.rows("inbox", "kind <> 'missed_call'")
        found = Counter((row["sender"], row["text"]) for row in rows)
        self._print("texts sent to the modems", told.total(), f"parts {len(books.incoming)}")
        self._print("rows of them in the inbox", len(rows))
        for key in told.keys() | found.keys():
            if told[key] != found[key]:
                self._differs("came", told[key], "times, in the inbox", found[key], "times:", key)
        for row in rows:
            if not row["complete"] or row["kind"] != "sms":
                self._differs("not whole:", row)
        raw = Counter(row["pdu"] for row in self._box.rows("received_part"))
        for record in (*books.incoming, *books.reports):
            if record.received_at is not None and not raw[record.pdu]:
                self._differs("the modem had it, the store has not:", record)

    def _calls(self) -> None:
        calls = self._box.sim.books.calls
        rows = self._box.rows("inbox", "kind = 'missed_call'")
        found = Counter(row["sender"] for row in rows)
        ends = Counter(str(call.ended_by) for call in calls)
        self._print("calls", len(calls), Counter({f"ended by {k}": n for k, n in ends.items()}))
        self._print("rows of them in the inbox", len(rows))
        nameless = Counter(row["modem"] for row in rows if not row["sender"])
        for call in calls:
            # Nobody hears a call while the daemon is down; one that we hung up we have heard. Of
            # one that rang while the modem was set up, or on a disturbed line, no number is known.
            count = found.pop(call.number or "", 0)
            if not count and nameless[call.modem] and call.rings:
                nameless[call.modem] -= 1
                count = 1
            if count > 1 or (call.ended_by == "modem" and not count):
                self._differs("call:", call, [r for r in rows if r["sender"] == call.number])
        found.pop("", None)
        for who in (*found, *(modem for modem, count in nameless.items() if count > 0)):
            self._differs("missed call of somebody who never called:", who)
        self._handed_out(rows)

    def _handed_out(self, calls: list[Row]) -> None:
        """Compare `incoming/` with the inbox."""
        contents = self._files["incoming"]
        by_id: dict[str, list[str]] = defaultdict(list)
        for name, content in contents.items():
            head, _, body = content.partition("\n\n")
            number = re.search(r"^Gsmgw_id: (\d+)$", head, re.MULTILINE)
            by_id[number[1] if number else name].append(body)
        self._print("files in incoming", len(contents))
        missed = {row["id"] for row in calls}
        for row in self._box.rows("inbox"):
            wanted = "CALL MISSED\n" if row["id"] in missed else row["text"]
            bodies = by_id.pop(str(row["id"]), [])
            if bodies != [wanted]:
                self._differs("must be one file in incoming:", row, bodies)
        for key, bodies in by_id.items():
            self._differs("file in incoming without a row:", key, bodies)

    def _reports(self) -> None:
        books = self._box.sim.books
        rows = self._box.rows("status_report")
        parts = {part["id"]: part for found in self._parts.values() for part in found}
        asked = {row["id"] for row in self._outbox if row["report_requested"]}
        owed = [
            row["id"]
            for row in rows
            if row["part_id"] is not None and parts[row["part_id"]]["message_id"] in asked
        ]
        names = {row["status_report_id"]: row["name"] for row in self._box.rows("handout")}
        self._print("status reports of the network", len(books.reports))
        matched = sum(row["part_id"] is not None for row in rows)
        alike = self._alike()
        self._print("  in the database", len(rows), f"matched {matched}, taken for repeats {alike}")
        if len(rows) + alike != len(books.reports):
            self._differs("reports:", len(books.reports), "were made, we have", len(rows))
        self._print("  files in report", len(self._files["report"]), f"owed {len(owed)}")
        expected = sorted(str(names.get(number)) for number in owed)
        if expected != sorted(self._files["report"]):
            odd = set(expected) ^ set(self._files["report"])
            self._differs("files in report do not agree with what is owed:", sorted(odd))

    def _alike(self) -> int:
        """Count reports that look like others octet by octet, as those without references may.

        Where a deletion was not confirmed, nobody can tell a second one from the first read again.
        """
        raw = {row["id"]: row["pdu"] for row in self._box.rows("received_part")}
        rows = self._box.rows("status_report")
        found = Counter(raw[row["received_part_id"]] for row in rows)
        made = Counter(record.pdu for record in self._box.sim.books.reports)
        return sum(made[octets] - found[octets] for octets in made if found[octets])

    def _store(self) -> None:
        """Look for damage that the figures do not show."""
        for (answer,) in (tuple(row.values()) for row in self._box.rows(_INTEGRITY)):
            if answer != "ok":
                self._differs("the database is damaged:", answer)
        if "Traceback" in self._box.log:
            self._differs("a traceback in the log")
        events = [match[1] for match in re.finditer(r" (service\.\w+) ", self._box.log)]
        for name, count in Counter(events).items():
            if name in ("service.failed", "service.fatal", "service.stuck"):
                lines = self._box.lines(name)
                self._differs(name, count, "times:", lines[-1])


_INTEGRITY = "pragma_integrity_check"

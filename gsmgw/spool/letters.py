# SPDX-License-Identifier: Apache-2.0
"""What is to stand in a file of `incoming/` or `report/`, from rows and raw TPDUs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar

from gsmgw import pdu
from gsmgw.config import Config
from gsmgw.model import InboxKind, PartState
from gsmgw.spool.formats import arrivals, json_format
from gsmgw.spool.formats.arrivals import Origin, Report, Sms
from gsmgw.store import inbox, modems, outbox, reports, spool_files
from gsmgw.store.database import Database, Row

_CONCATENATION = (0x00, 0x08)  # 3GPP TS 23.040 9.2.3.24
_REPLACE_PIDS = range(0x41, 0x48)  # 9.2.3.9

_Kind = TypeVar("_Kind", pdu.Deliver, pdu.StatusReport)


@dataclass(frozen=True, slots=True)
class Letter:
    """A file to be handed out."""

    folder: str  #: incoming or report
    stem: str  #: its name, if that is free: the modem and the id in the store
    event: str  #: for the event handler
    content: bytes
    gsmgw_id: int | None  #: as in the file


class Writer:
    """Writes letters as the configuration wants them; reads the store, no files."""

    def __init__(self, config: Config, db: Database) -> None:
        self._db = db
        self._zone = config.zone
        self._as_json = config.spool.incoming_format == "json"
        self._smsd_alphabets = config.spool.alphabet == "smsd"

    def compose(self, handout: Row) -> Letter | None:
        """Return what is to be handed out; None if the store no longer has it."""
        if handout["inbox_id"] is not None:
            row = inbox.get(self._db, handout["inbox_id"])
            return None if row is None else self._arrival(row)
        report = reports.get(self._db, handout["status_report_id"])
        return None if report is None else self._report(report)

    # -- arrivals ---------------------------------------------------------------------------------

    def _arrival(self, row: Row) -> Letter:
        is_call = row["kind"] == InboxKind.MISSED_CALL
        event = "CALL" if is_call else "RECEIVED"
        if self._as_json:
            content = json_format.format_document({name: row[name] for name in row.keys()})  # noqa: SIM118 - a Row iterates over its values
        else:
            content = self._call(row) if is_call else self._sms(row)
        return Letter("incoming", _stem(row["modem"], row["id"]), event, content, row["id"])

    def _call(self, row: Row) -> bytes:
        sender = row["sender"]
        toa = pdu.make_address(sender).toa if sender else None
        origin = self._origin(row, sender, toa)
        return arrivals.format_call(origin, _extra(row), smsd_alphabets=self._smsd_alphabets)

    def _sms(self, row: Row) -> bytes:
        raws = inbox.raw_of(self._db, row["id"])
        delivers = [found for raw in raws if (found := _decode(raw["pdu"], pdu.Deliver))]
        if not delivers:
            error = raws[0]["error"] if raws else None
            return arrivals.format_undecodable(
                self._origin(row, row["sender"], None),
                row["text"] or "",
                error or "the octets are no longer kept",
                _extra(row),
                smsd_alphabets=self._smsd_alphabets,
            )
        first = delivers[0]
        origin = self._origin(row, row["sender"], first.sender.toa, first)
        sms = Sms(
            text=row["text"] or "",
            alphabet=_alphabet(delivers),
            data=_octets(row) if row["kind"] == InboxKind.BINARY else None,
            report_indication=any(deliver.report_indication for deliver in delivers),
            replace=first.pid - 0x40 if first.pid in _REPLACE_PIDS else None,
            is_flash=first.message_class == 0,
            is_complete=bool(row["complete"]),
            udh=_udh(first, is_complete=bool(row["complete"])),
        )
        return arrivals.format_sms(origin, sms, _extra(row), smsd_alphabets=self._smsd_alphabets)

    def _origin(
        self,
        row: Row,
        number: str,
        toa: int | None,
        decoded: pdu.Deliver | pdu.StatusReport | None = None,
    ) -> Origin:
        sim = None if row["sim_id"] is None else modems.get_sim(self._db, row["sim_id"])
        modem = modems.get(self._db, row["modem"])
        return Origin(
            number=number,
            toa=toa,
            modem=row["modem"],
            imsi=(sim and sim["imsi"]) or "",
            imei=(modem and modem["imei"]) or "",
            received_at=dt.datetime.fromisoformat(row["received_at"]).astimezone(self._zone),
            service_centre=None if decoded is None else decoded.service_centre,
            service_centre_at=None if decoded is None else decoded.service_centre_at,
        )

    # -- status reports ---------------------------------------------------------------------------

    def _report(self, report: Row) -> Letter:
        part = None
        if report["part_id"] is not None:
            part = outbox.get_part(self._db, report["part_id"])
        message = None if part is None else outbox.get(self._db, part["message_id"])
        if self._as_json:
            content = json_format.format_document(_report_document(report, part, message))
        else:
            content = self._report_file(report, part, message)
        gsmgw_id = None if message is None else message["id"]
        return Letter("report", _stem(report["modem"], report["id"]), "REPORT", content, gsmgw_id)

    def _report_file(self, report: Row, part: Row | None, message: Row | None) -> bytes:
        raw = inbox.get_raw(self._db, report["received_part_id"])
        decoded = None if raw is None else _decode(raw["pdu"], pdu.StatusReport)
        origin = self._origin(report, report["recipient"], report["recipient_toa"], decoded)
        extra: dict[str, str] = {}
        if part is not None and message is not None:
            extra["Gsmgw_id"] = str(message["id"])
            extra["Gsmgw_state"] = message["state"]
            extra["Gsmgw_part"] = f"{part['number']}/{message['parts']}"
            if message["reference"]:
                extra["Gsmgw_reference"] = message["reference"]
            came_in = spool_files.of_message(self._db, message["id"])
            if came_in:
                extra["Gsmgw_file"] = came_in[-1]["original_name"]
        told = Report(
            report["mr"], report["st"], None if decoded is None else decoded.discharged_at
        )
        return arrivals.format_report(origin, told, extra, smsd_alphabets=self._smsd_alphabets)


def _stem(modem: str, row_id: int) -> str:
    # Six digits, as long as the six letters that smsd puts there; in order by name.
    return f"{modem.replace('/', '_')}.{row_id:06d}"


def _extra(row: Row) -> dict[str, str]:
    extra = {"Gsmgw_id": str(row["id"])}
    if row["in_reply_to"] is not None:
        extra["Gsmgw_in_reply_to"] = str(row["in_reply_to"])
    return extra


def _decode(octets: str, kind: type[_Kind]) -> _Kind | None:
    decoded = pdu.decode(octets)
    return decoded if isinstance(decoded, kind) else None


def _alphabet(delivers: list[pdu.Deliver]) -> pdu.Alphabet:
    used = {deliver.alphabet for deliver in delivers}
    return pdu.Alphabet.GSM7 if used == {pdu.Alphabet.GSM7} else pdu.Alphabet.UCS2


def _octets(row: Row) -> bytes:
    try:
        return bytes.fromhex(row["text"] or "")
    except ValueError:
        return str(row["text"]).encode()


def _udh(deliver: pdu.Deliver, *, is_complete: bool) -> bytes:
    """Return the header that a file shows: what was put together no longer says how."""
    if deliver.concat is None or not is_complete:
        return deliver.udh
    return b"".join(
        bytes((element.identifier, len(element.value))) + element.value
        for element in pdu.read_elements(deliver.udh)
        if element.identifier not in _CONCATENATION
    )


def _report_document(report: Row, part: Row | None, message: Row | None) -> dict[str, object]:
    return {
        "id": message and message["id"],
        "reference": message and message["reference"],
        "recipient": message["recipient"] if message is not None else report["recipient"],
        "part": part and part["number"],
        "parts": message and message["parts"],
        "mr": report["mr"],
        "status": report["st"],
        "state": _state(report["st"]).value,
        "service_centre_at": report["service_centre_at"],
        "discharged_at": report["discharged_at"],
    }


def _state(status: int) -> PartState:
    """Return what a TP-ST says of its part (3GPP TS 23.040 9.2.3.15)."""
    if status <= 0x1F:
        return PartState.DELIVERED
    return PartState.UNDELIVERED if 0x40 <= status <= 0x7F else PartState.SENT

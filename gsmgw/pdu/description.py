# SPDX-License-Identifier: Apache-2.0
"""A message as a JSON object and back: what `gsmgw pdu decode` prints and `pdu encode` reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from gsmgw.errors import PduError
from gsmgw.pdu import address as addresses
from gsmgw.pdu import alphabet as alphabets
from gsmgw.pdu import coding, encoder, header, segmentation
from gsmgw.pdu.alphabet import Alphabet
from gsmgw.pdu.fields import Fields
from gsmgw.pdu.header import Concat
from gsmgw.pdu.records import Decoded, DecodedSubmit, Deliver, StatusReport, Submit, Undecodable
from gsmgw.pdu.segmentation import Segment

_BODY_KEYS = ("text", "data_hex", "alphabet", "concat", "udh_hex", "dcs", "pid", "class")
_KEYS = {
    "deliver": ("service_centre", "sender", *_BODY_KEYS, "service_centre_at"),
    "submit": ("service_centre", "recipient", *_BODY_KEYS, "mr"),
    "status-report": (
        "service_centre",
        "recipient",
        "mr",
        "status",
        "service_centre_at",
        "discharged_at",
    ),
}


def describe(decoded: Decoded) -> dict[str, object]:
    """Return the message as a JSON object.

    The keys are those that a message of its type has, null where it does not say; `error` is there
    only if it could not be decoded. Times are ISO 8601 with their own offset.
    """
    if isinstance(decoded, Undecodable):
        return {"type": None, "service_centre": decoded.service_centre, "error": decoded.error}
    if isinstance(decoded, StatusReport):
        return {
            "type": "status-report",
            "service_centre": decoded.service_centre,
            "recipient": decoded.recipient.digits,
            "mr": decoded.mr,
            "status": decoded.status,
            "service_centre_at": _format_time(decoded.service_centre_at),
            "discharged_at": _format_time(decoded.discharged_at),
        }
    if isinstance(decoded, Deliver):
        return {
            "type": "deliver",
            "service_centre": decoded.service_centre,
            "sender": decoded.sender.digits,
            **_describe_body(decoded),
            "service_centre_at": _format_time(decoded.service_centre_at),
        }
    return {
        "type": "submit",
        "service_centre": decoded.service_centre,
        "recipient": decoded.recipient.digits,
        **_describe_body(decoded),
        "mr": decoded.mr,
    }


def _describe_body(decoded: Deliver | DecodedSubmit) -> dict[str, object]:
    concat = decoded.concat
    return {
        "text": decoded.text,
        "data_hex": None if decoded.data is None else decoded.data.hex().upper(),
        "alphabet": str(decoded.alphabet),
        "concat": concat and {"ref": concat.ref, "total": concat.total, "number": concat.number},
        "udh_hex": decoded.udh.hex().upper() or None,
        "dcs": decoded.dcs,
        "pid": decoded.pid,
        "class": decoded.message_class,
    }


def _format_time(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def encode_described(fields: Mapping[str, object]) -> bytes:
    """Encode a message from the keys that `describe` gives, service centre address in front.

    Keys that are absent or null take their usual value: `alphabet` by the text, `dcs` by alphabet
    and class, and so on; `concat` stands for itself or repeats what `udh_hex` holds.

    Raises:
        PduError: a key is unknown, missing, or has a value that cannot be; its name comes first.
        BadNumberError: sender, recipient or service centre cannot be encoded.
        BadTextError: the text does not fit into its alphabet or into one part.
    """
    given = Fields(fields)
    kind = given.text("type")
    if kind not in _KEYS:
        raise PduError(f"type: {kind!r} is none of {', '.join(_KEYS)}")
    unknown = given.keys() - {"type", *_KEYS[kind]}
    if unknown:
        raise PduError(f"{min(unknown)}: a {kind} has no such key; it has {', '.join(_KEYS[kind])}")
    if kind == "status-report":
        return _encode_status_report(given)
    return _encode_deliver(given) if kind == "deliver" else _encode_submit(given)


def _encode_status_report(given: Fields) -> bytes:
    return encoder.encode_status_report(
        StatusReport(
            mr=given.number("mr", 0xFF),
            recipient=given.address("recipient"),
            service_centre_at=given.time("service_centre_at"),
            discharged_at=given.time("discharged_at"),
            status=given.number("status", 0xFF),
            service_centre=given.optional_text("service_centre"),
        )
    )


def _encode_deliver(given: Fields) -> bytes:
    content = _read_content(given)
    return encoder.encode_deliver(
        Deliver(
            sender=given.address("sender"),
            text=content.text,
            data=content.data,
            alphabet=content.alphabet,
            dcs=content.dcs,
            pid=given.number("pid", 0xFF),
            message_class=coding.read_coding(content.dcs).message_class,
            concat=content.concat,
            udh=content.udh,
            service_centre_at=given.time("service_centre_at"),
            service_centre=given.optional_text("service_centre"),
        )
    )


def _encode_submit(given: Fields) -> bytes:
    content = _read_content(given)
    recipient = given.address("recipient")
    segment = None
    if content.text is not None:
        units = alphabets.count_units(content.text, content.alphabet)
        segment = Segment(content.alphabet, content.text, units)
    tpdu = encoder.encode_submit(
        Submit(
            recipient=recipient.digits,
            segment=segment,
            data=content.data or b"",
            udh=content.udh,
            concat=content.concat,
            dcs=content.dcs,
            pid=given.number("pid", 0xFF),
            mr=given.number("mr", 0xFF),
            toa=recipient.toa,
        )
    )
    return addresses.encode_service_centre(given.optional_text("service_centre")) + tpdu


@dataclass(frozen=True, slots=True)
class _Content:
    """What the keys of a deliver or submit say of its text or data."""

    alphabet: Alphabet
    dcs: int
    text: str | None
    data: bytes | None
    udh: bytes
    concat: Concat | None


def _read_content(given: Fields) -> _Content:
    text, data = given.optional_text("text"), given.octets("data_hex")
    if text is not None and data is not None:
        raise PduError("data_hex: a message has text or data, not both")
    alphabet, dcs = _read_coding(given, text)
    if alphabet is Alphabet.DATA and text is not None:
        raise PduError("text: 8-bit data has no text; write data_hex")
    if alphabet is not Alphabet.DATA and data is not None:
        raise PduError(f"data_hex: {alphabet} has no data; write text")
    udh = given.octets("udh_hex") or b""
    return _Content(
        alphabet,
        dcs,
        None if alphabet is Alphabet.DATA else text or "",
        data or b"" if alphabet is Alphabet.DATA else None,
        udh,
        _read_concat(given, udh),
    )


def _read_coding(given: Fields, text: str | None) -> tuple[Alphabet, int]:
    """Return alphabet and data coding scheme; each of the three keys may stand for the others."""
    name = given.optional_text("alphabet")
    if name is not None and name not in list(Alphabet):
        raise PduError(f"alphabet: {name!r} is none of {', '.join(Alphabet)}")
    message_class, dcs = given.optional_number("class", 3), given.optional_number("dcs", 0xFF)
    if dcs is not None:
        meaning = coding.read_coding(dcs)
        if name not in (None, meaning.alphabet):
            raise PduError(f"dcs: {dcs} means the alphabet {meaning.alphabet}, not {name}")
        if message_class not in (None, meaning.message_class):
            raise PduError(
                f"dcs: {dcs} means the class {meaning.message_class}, not {message_class}"
            )
        return meaning.alphabet, dcs
    if name is not None:
        alphabet = Alphabet(name)
    elif text is None and given.optional_text("data_hex") is not None:
        alphabet = Alphabet.DATA
    else:
        alphabet = segmentation.choose_alphabet(text or "")
    return alphabet, coding.make_dcs(alphabet, message_class)


def _read_concat(given: Fields, udh: bytes) -> Concat | None:
    """Return the concatenation; the same one in `udh_hex` tells how wide its reference is."""
    try:
        present = header.read_concat(header.read_elements(udh))
    except PduError as error:
        raise PduError(f"udh_hex: {error}") from error
    inner = given.object("concat", ("ref", "total", "number"))
    if inner is None:
        return None
    ref = inner.number("ref", 0xFFFF)
    total, number = inner.number("total", 0xFF), inner.number("number", 0xFF)
    wide = ref > 0xFF or (present is not None and present.wide)
    return Concat(ref, total, number, wide=wide)

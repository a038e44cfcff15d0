# SPDX-License-Identifier: Apache-2.0
"""TP-DCS, the data coding scheme octet: alphabet, class, message waiting (3GPP TS 23.038 4)."""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.pdu.alphabet import Alphabet

#: Bits 3 and 2 of the general group; 3 is reserved and read as GSM 7-bit.
_GENERAL_ALPHABETS = (Alphabet.GSM7, Alphabet.DATA, Alphabet.UCS2, Alphabet.GSM7)
_ALPHABET_BITS = {Alphabet.GSM7: 0x00, Alphabet.DATA: 0x04, Alphabet.UCS2: 0x08}
_HAS_CLASS = 0x10
_WAITING_FOR = ("voicemail", "fax", "email", "other")


@dataclass(frozen=True, slots=True)
class Coding:
    """What a data coding scheme octet says."""

    alphabet: Alphabet  #: 8-bit too where the text is compressed, since we cannot read it
    message_class: int | None = None  #: 0 show at once, 1 phone, 2 SIM, 3 terminal equipment
    is_compressed: bool = False
    is_reserved: bool = False  #: a coding that the standard keeps for later; read as GSM 7-bit
    delete_after_reading: bool = False
    waiting_for: str | None = None  #: "voicemail", "fax", "email", "other"
    is_waiting: bool = False  #: such a message waits; False: none does any more
    discard: bool = False  #: only the indication counts, the text may be thrown away


def read_coding(dcs: int) -> Coding:
    """Read a data coding scheme octet, 0..255; every value has a meaning."""
    group = dcs >> 4
    if group < 0x8:
        return _read_general(dcs)
    if group < 0xC:
        return Coding(Alphabet.GSM7, is_reserved=True)
    if group < 0xF:
        return Coding(
            Alphabet.UCS2 if group == 0xE else Alphabet.GSM7,
            waiting_for=_WAITING_FOR[dcs & 0x03],
            is_waiting=bool(dcs & 0x08),
            discard=group == 0xC,
        )
    return Coding(
        Alphabet.DATA if dcs & 0x04 else Alphabet.GSM7,
        message_class=dcs & 0x03,
        is_reserved=bool(dcs & 0x08),
    )


def _read_general(dcs: int) -> Coding:
    """Read the groups 00xx (general) and 01xx (marked for automatic deletion)."""
    is_compressed = bool(dcs & 0x20)
    alphabet_bits = dcs >> 2 & 0x03
    return Coding(
        Alphabet.DATA if is_compressed else _GENERAL_ALPHABETS[alphabet_bits],
        message_class=dcs & 0x03 if dcs & _HAS_CLASS else None,
        is_compressed=is_compressed,
        is_reserved=alphabet_bits == 0x03,
        delete_after_reading=bool(dcs & 0x40),
    )


def make_dcs(alphabet: Alphabet, message_class: int | None = None) -> int:
    """Return the octet of the general group for an alphabet and, if given, a class 0..3."""
    bits = _ALPHABET_BITS[alphabet]
    return bits if message_class is None else bits | _HAS_CLASS | message_class

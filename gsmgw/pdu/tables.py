# SPDX-License-Identifier: Apache-2.0
"""The GSM 7-bit character tables of 3GPP TS 23.038: default, extension and national ones.

A locking table has 128 characters, one for each septet; ESC stands at 0x1B. A single shift table
holds what a septet means right after ESC. The national tables are read from inbound messages that
name them in their header (information elements 24 and 25, 3GPP TS 23.040 9.2.3.24.15 and .16).
We never choose one for sending, because older phones show the wrong letters then.
"""

from __future__ import annotations

from types import MappingProxyType

ESCAPE = 0x1B

#: National language identifiers, 3GPP TS 23.038 6.2.1.2.4.
TURKISH, SPANISH, PORTUGUESE = 1, 2, 3

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SMALL = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789:;<=>?"

#: 6.2.1, the default alphabet; one line for each 16 septets, letters two.
DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./" + _DIGITS + "¡" + _CAPITALS + "ÄÖÑÜ§"
    "¿" + _SMALL + "äöñüà"
)

#: A.3.1
_TURKISH_LOCKING = (
    "@£$¥€éùıòÇ\nĞğ\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ"
    " !\"#¤%&'()*+,-./" + _DIGITS + "İ" + _CAPITALS + "ÄÖÑÜ§"
    "ç" + _SMALL + "äöñüà"
)

#: A.3.3
_PORTUGUESE_LOCKING = (
    "@£$¥êéúíóç\nÔô\rÁá"
    "Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
    " !\"#º%&'()*+,-./" + _DIGITS + "Í" + _CAPITALS + "ÃÕÚÜ§"
    "~" + _SMALL + "ãõ`üà"
)

#: 6.2.1.1, the default extension table. 0x0A is a page break.
EXTENSION = MappingProxyType(
    {
        0x0A: "\f",
        0x14: "^",
        0x28: "{",
        0x29: "}",
        0x2F: "\\",
        0x3C: "[",
        0x3D: "~",
        0x3E: "]",
        0x40: "|",
        0x65: "€",
    }
)


def _single(additions: str) -> MappingProxyType[int, str]:
    """Return the extension table with additions: code in hex and character, for each."""
    return MappingProxyType(
        EXTENSION | {int(addition[:2], 16): addition[2] for addition in additions.split()}
    )


#: A.2.1
_TURKISH_SINGLE = _single("47Ğ 49İ 53Ş 63ç 67ğ 69ı 73ş")  # noqa: RUF001 (i without a dot is meant)

#: A.2.2
_SPANISH_SINGLE = _single("09ç 41Á 49Í 4FÓ 55Ú 61á 69í 6Fó 75ú")

#: A.2.3
_PORTUGUESE_SINGLE = _single(
    "05ê 09ç 0BÔ 0Cô 0EÁ 0Fá 12Φ 13Γ 15Ω 16Π 17Ψ 18Σ 19Θ 1FÊ"
    " 41À 49Í 4FÓ 55Ú 5BÃ 5CÕ 61Â 69í 6Fó 75ú 7Bã 7Cõ 7Fâ"
)

#: Locking tables by language identifier; Spanish has none of its own (A.3.2).
LOCKING = MappingProxyType(
    {0: DEFAULT, TURKISH: _TURKISH_LOCKING, SPANISH: DEFAULT, PORTUGUESE: _PORTUGUESE_LOCKING}
)

#: Single shift tables by language identifier.
SINGLE = MappingProxyType(
    {
        0: EXTENSION,
        TURKISH: _TURKISH_SINGLE,
        SPANISH: _SPANISH_SINGLE,
        PORTUGUESE: _PORTUGUESE_SINGLE,
    }
)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gsmgw import pdu
from gsmgw.errors import PduError
from gsmgw.pdu import header


def _concat(hexadecimal: str) -> pdu.Concat | None:
    return header.read_concat(pdu.read_elements(bytes.fromhex(hexadecimal)))


@pytest.mark.parametrize(
    ("hexadecimal", "concat"),
    [
        ("", None),
        ("0003AA0201", pdu.Concat(0xAA, 2, 1)),
        ("080412340201", pdu.Concat(0x1234, 2, 1, wide=True)),
        ("05040B8423F00003010302", pdu.Concat(1, 3, 2)),
        ("0003AA02010003BB0302", pdu.Concat(0xBB, 3, 2)),  # the last one counts
        ("0003AA0200", None),
        ("0003AA0203", None),
        ("0003AA0000", None),
        ("0002AA02", None),
        ("0804AA0201FF", None),
    ],
)
def test_concatenation(hexadecimal: str, concat: pdu.Concat | None) -> None:
    assert _concat(hexadecimal) == concat


@pytest.mark.parametrize(
    "concat", [pdu.Concat(0, 1, 1), pdu.Concat(255, 255, 255), pdu.Concat(65535, 2, 1, wide=True)]
)
def test_concatenation_comes_back(concat: pdu.Concat) -> None:
    assert _concat(header.encode_concat(concat).hex()) == concat


@pytest.mark.parametrize(
    "concat",
    [
        pdu.Concat(256, 2, 1),
        pdu.Concat(-1, 2, 1),
        pdu.Concat(65536, 2, 1, wide=True),
        pdu.Concat(1, 0, 0),
        pdu.Concat(1, 2, 3),
        pdu.Concat(1, 256, 3),
    ],
)
def test_concatenation_that_cannot_be(concat: pdu.Concat) -> None:
    with pytest.raises(PduError, match=r"^concat:"):
        header.encode_concat(concat)


def test_unknown_elements_are_kept() -> None:
    assert pdu.read_elements(bytes.fromhex("7002ABCD0A00")) == (
        pdu.Element(0x70, b"\xab\xcd"),
        pdu.Element(0x0A, b""),
    )


@pytest.mark.parametrize("broken", ["00", "0003AA", "0003AA020170"])
def test_element_that_is_longer_than_the_header(broken: str) -> None:
    with pytest.raises(PduError, match="does not end where its last element does"):
        pdu.read_elements(bytes.fromhex(broken))
    assert pdu.read_ports(bytes.fromhex(broken)) is None


@pytest.mark.parametrize(
    ("hexadecimal", "ports"),
    [
        ("05040B8423F0", pdu.Ports(2948, 9200)),
        ("0402F5F6", pdu.Ports(0xF5, 0xF6)),
        ("0003AA0201", None),
        ("0502F5F6", None),
    ],
)
def test_ports(hexadecimal: str, ports: pdu.Ports | None) -> None:
    assert pdu.read_ports(bytes.fromhex(hexadecimal)) == ports


@pytest.mark.parametrize(
    ("hexadecimal", "shift"),
    [
        ("", header.Shift()),
        ("250101", header.Shift(locking=1)),
        ("240102", header.Shift(single=2)),
        ("250103240103", header.Shift(locking=3, single=3)),
        ("25010D", header.Shift(unknown=(13,))),
        ("24010425010D", header.Shift(unknown=(13, 4))),
        ("240104250104", header.Shift(unknown=(4,))),
        ("25020101", header.Shift()),
        ("25010100", header.Shift()),  # broken
    ],
)
def test_national_language(hexadecimal: str, shift: header.Shift) -> None:
    assert header.read_shift(bytes.fromhex(hexadecimal)) == shift


def test_concatenation_is_put_in_front_once() -> None:
    concat = pdu.Concat(0xAA, 2, 1)
    ports = bytes.fromhex("05040B8423F0")
    whole = header.with_concat(ports, concat)
    assert whole.hex().upper() == "0003AA020105040B8423F0"
    assert header.with_concat(whole, concat) == whole
    assert header.with_concat(ports, None) == ports
    with pytest.raises(PduError, match="holds another one"):
        header.with_concat(whole, pdu.Concat(0xAB, 2, 1))

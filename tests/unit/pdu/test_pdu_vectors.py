# SPDX-License-Identifier: Apache-2.0
"""PDUs from outside: the standard's examples, manuals, other projects' tests, recordings."""

from __future__ import annotations

from typing import Any

import pdu_support
import pytest

from gsmgw import pdu

_DELIVERIES = pdu_support.read_vectors("deliveries.json")
_SUBMISSIONS = pdu_support.read_vectors("submissions.json")


@pytest.mark.parametrize("vector", _DELIVERIES, ids=lambda vector: vector["name"])
def test_published_delivery(vector: dict[str, Any]) -> None:
    decoded = pdu_support.decode_delivery(vector["pdu"])
    described = pdu.describe(decoded) | {"note": decoded.note}
    wanted = {"note": ""} | {key: vector[key] for key in vector if key not in ("name", "pdu")}
    assert {key: described[key] for key in wanted} == wanted


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("vector", _SUBMISSIONS, ids=lambda vector: vector["name"])
def test_published_submission(vector: dict[str, Any], direction: Any) -> None:
    decoded = pdu.decode(vector["pdu"], direction=direction)
    assert isinstance(decoded, pdu.DecodedSubmit)
    described = pdu.describe(decoded) | {
        "note": decoded.note,
        "validity": decoded.validity,
        "report": decoded.report,
    }
    wanted = {"note": "", "validity": None, "report": False}
    wanted |= {key: vector[key] for key in vector if key not in ("name", "pdu")}
    assert {key: described[key] for key in wanted} == wanted


@pytest.mark.parametrize("vector", _SUBMISSIONS, ids=lambda vector: vector["name"])
def test_published_submission_is_what_we_encode(vector: dict[str, Any]) -> None:
    tpdu = pdu.encode_submit(
        pdu.Submit(
            vector["recipient"],
            pdu_support.make_text_segment(vector["text"]),
            report=vector.get("report", False),
            validity=vector.get("validity"),
        )
    )
    centre = pdu.encode_service_centre(vector.get("service_centre"))
    assert (centre + tpdu).hex().upper() == vector["pdu"]


def test_published_status_report() -> None:
    decoded = pdu.decode("07914356060013F1065A098136397339F7219011700463802190117004638030")
    assert pdu.describe(decoded) == {
        "type": "status-report",
        "service_centre": "+34656000311",
        "recipient": "639337937",
        "mr": 90,
        "status": 0x30,
        "service_centre_at": "2012-09-11T07:40:36+02:00",
        "discharged_at": "2012-09-11T07:40:36+02:00",
    }


@pytest.mark.parametrize(
    ("semi_octets", "name"),
    [("0BD0CDE6DB5DCE03", "MMoney"), ("14D0C4F23C7D760390EF7619", "Design@Home")],
)
def test_published_name_of_a_sender(semi_octets: str, name: str) -> None:
    decoded = pdu_support.decode_delivery(f"0004{semi_octets}00006211220103544002C834")
    assert (decoded.sender, decoded.text) == (pdu.Address(name, 0xD0), "Hi")


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        ("0CC8F71D14969741F977FD07", "How are you?"),
        ("0D32D0A60C8287E5A0F63B3D07", "2 € par mois"),
        (
            "2554741914AFA7C76B90F98D07A9EB6DF81CF4B697E5203ABA0C6287F57910F97D06",
            "The quick fox jumps over the lazy dog",
        ),
    ],
)
def test_published_packed_text(packed: str, text: str) -> None:
    decoded = pdu_support.decode_delivery(pdu_support.make_delivery_pdu(packed))
    assert (decoded.text, decoded.note) == (text, "")

# SPDX-License-Identifier: Apache-2.0
"""Reports that are equal to the last octet, because the references of the SIM say nothing."""

from __future__ import annotations

import pytest
from gateway_support import TWO_PARTS, Rig


@pytest.mark.parametrize("mr", [0, None])
def test_reports_on_parts_of_one_second_without_references_all_count(
    rig: Rig, mr: int | None
) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    rig.send(mr)
    rig.send(mr)
    for _ in range(2):
        rig.dispatcher.deleted(rig.report(0))
    assert rig.parts(message_id) == ["delivered", "delivered"]


def test_report_read_again_because_it_could_not_be_deleted_counts_once(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    rig.send(0)
    rig.send(0)
    rig.report(0)
    rig.report(0)
    assert sorted(rig.parts(message_id)) == ["delivered", "sent"]


def test_equal_report_repeats_where_references_count(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    rig.send(7)
    rig.send(8)
    for _ in range(2):
        rig.dispatcher.deleted(rig.report(7))
    assert rig.parts(message_id) == ["delivered", "sent"]

# SPDX-License-Identifier: Apache-2.0
"""Missed calls: whoever rings is rung back; it costs a patient nothing and needs no word."""

from __future__ import annotations

from gsmgw import phone
from gsmgw.clinic.answering.case import Case
from gsmgw.clinic.answering.wishes import say_callback
from gsmgw.clinic.model import TaskCode


def take(case: Case) -> None:
    """Make the call-back task, or count one more attempt of the open one; answer once.

    Whatever is asked on that phone stays open: ringing up is no answer.
    """
    case.task(TaskCode.CALLBACK)
    if phone.is_mobile(case.arrival.phone):
        say_callback(case)

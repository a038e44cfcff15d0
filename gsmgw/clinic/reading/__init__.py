# SPDX-License-Identifier: Apache-2.0
"""The reply reader: what a patient's answer means, and whether that is certain enough to act on."""

from gsmgw.clinic.reading.meaning import Meaning, Question, Reading
from gsmgw.clinic.reading.reader import ReplyReader

__all__ = ["Meaning", "Question", "Reading", "ReplyReader"]

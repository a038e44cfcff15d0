# SPDX-License-Identifier: Apache-2.0
"""Answers: what patients write, bound to what they were asked, and what follows from it."""

from gsmgw.clinic.answering.answering import Answering

__all__ = ["Answering"]

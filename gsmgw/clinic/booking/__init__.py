# SPDX-License-Identifier: Apache-2.0
"""Booking: what the clinic's files say is applied, and what follows from it is planned."""

from gsmgw.clinic.booking.book import Booking
from gsmgw.clinic.booking.checking import Taken
from gsmgw.clinic.booking.reach import Reach

__all__ = ["Booking", "Reach", "Taken"]

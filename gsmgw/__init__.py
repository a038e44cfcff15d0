# SPDX-License-Identifier: Apache-2.0
"""SMS gateway for clinics without reliable internet: GSM modems, a spool, a SQLite outbox."""

__version__ = "0.1.0"

# SPDX-License-Identifier: Apache-2.0
"""The spool: a door of folders and files, for programs written for smstools3 as they are."""

from gsmgw.spool.door import Door, outgoing, prepare, services
from gsmgw.spool.restored import close_files

__all__ = ["Door", "close_files", "outgoing", "prepare", "services"]

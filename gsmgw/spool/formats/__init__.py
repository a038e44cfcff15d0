# SPDX-License-Identifier: Apache-2.0
"""What stands in the files of the spool: octets to values and back, without I/O or threads."""

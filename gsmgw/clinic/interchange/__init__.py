# SPDX-License-Identifier: Apache-2.0
"""What stands in the clinic's files: octets to records, without I/O or threads."""

# SPDX-License-Identifier: Apache-2.0
"""What is handed back: answers and lists as files, without I/O or threads."""

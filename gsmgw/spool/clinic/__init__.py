# SPDX-License-Identifier: Apache-2.0
"""The clinic's folders: tables and messages come in, answers and lists go out."""

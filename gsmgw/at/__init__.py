# SPDX-License-Identifier: Apache-2.0
"""AT text to values and back: parser, replies, tables of CMS, CME and TP-ST codes; pure, no I/O."""

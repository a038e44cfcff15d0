# SPDX-License-Identifier: Apache-2.0
"""Between doors and modems: what is accepted, who sends it when, and what became of it."""

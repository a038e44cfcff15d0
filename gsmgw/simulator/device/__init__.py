# SPDX-License-Identifier: Apache-2.0
"""A modem as the simulator plays it: dialogue, memories, vendor habits, and what commands mean."""

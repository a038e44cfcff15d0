# SPDX-License-Identifier: Apache-2.0
"""What a modem sends next: what it may send, which part that is, and who is given it."""

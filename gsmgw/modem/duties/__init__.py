# SPDX-License-Identifier: Apache-2.0
"""What a worker does in its rounds, each duty by itself: find, send, receive, run orders."""

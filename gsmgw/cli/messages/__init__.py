# SPDX-License-Identifier: Apache-2.0
"""Commands about messages: sending them, and what became of them."""

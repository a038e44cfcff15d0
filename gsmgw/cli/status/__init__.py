# SPDX-License-Identifier: Apache-2.0
"""`gsmgw status`: how things are, for people on one screen, for programs and for monitoring."""

# SPDX-License-Identifier: Apache-2.0
"""What a clinic does with the gateway: books, asks, understands answers, makes work for people."""

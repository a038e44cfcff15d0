# SPDX-License-Identifier: Apache-2.0
"""What is handed back: answers, lists and figures as documents, made from what the store holds."""

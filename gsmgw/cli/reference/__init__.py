# SPDX-License-Identifier: Apache-2.0
"""What is installed beside the program, made from it and docs/: manual, completion, catalogue."""

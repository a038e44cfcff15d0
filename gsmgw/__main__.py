# SPDX-License-Identifier: Apache-2.0
"""Lets `python -m gsmgw` run the command line."""

from gsmgw.cli.main import main

if __name__ == "__main__":
    main()

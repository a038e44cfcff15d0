# SPDX-License-Identifier: Apache-2.0
"""The spool: a door of folders and files, for programs written for smstools3 as they are."""

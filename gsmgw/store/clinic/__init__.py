# SPDX-License-Identifier: Apache-2.0
"""SQL of the clinic layer: patients, visits, requests, answers, tasks, files."""

"""Why a release is not written."""

from __future__ import annotations


class ReleaseRefused(Exception):
    """This release would not protect the respondents; the message says why and what would help."""

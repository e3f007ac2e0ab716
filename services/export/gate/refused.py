"""Why a release is not written."""

from __future__ import annotations


class ReleaseRefused(Exception):
    """The release would not protect the respondents. The message says why and what would help."""

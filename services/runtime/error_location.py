"""Where an exception came from, for the log: its message may quote an answer, so type and place must do."""

from __future__ import annotations

import traceback


def error_location(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else type(error).__name__

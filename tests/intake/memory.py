"""What lies in the memory of running processes, as a core dump would hold it: everything that they may write to, freed or not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import psutil

LARGEST = 1 << 30
"""Bytes of one mapping; larger ones are address space that nobody has touched."""


def memory_of(processes: Iterable[psutil.Process]) -> dict[str, bytes]:
    """By process. Memory that several processes share is read once."""
    shared: set[str] = set()
    found: dict[str, bytes] = {}
    for process in processes:
        try:
            if parts := _mappings(process.pid, shared):
                found[f"memory/{_name(process.cmdline())} {len(found)}"] = b"".join(parts)
        except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):  # it has just ended
            continue
    return found


def _mappings(pid: int, shared: set[str]) -> list[bytes]:
    """Writable mappings in the order of their addresses."""
    parts: list[bytes] = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, offset, device, inode, *_ = line.split()
            first, end = (int(bound, 16) for bound in span.split("-"))
            if "w" not in rights or end - first > LARGEST:
                continue
            if "s" in rights:
                place = f"{device} {inode} {offset}"
                if place in shared:
                    continue
                shared.add(place)
            parts += _read(memory.fileno(), first, end)
    return parts


def _read(memory: int, first: int, end: int) -> list[bytes]:
    """A page that cannot be read, a guard for instance, ends it."""
    parts: list[bytes] = []
    while first < end:
        try:
            part = os.pread(memory, min(end - first, 1 << 22), first)
        except OSError:
            break
        if not part:
            break
        if part.strip(b"\0"):
            parts.append(part)
        first += len(part)
    return parts


def _name(line: list[str]) -> str:
    """The program, or the module that Python runs."""
    module = line[line.index("-m") + 1] if "-m" in line[:4] else line[0] if line else ""
    return re.sub(r"[^\w.].*", "", module.rpartition("/")[2]) or "process"

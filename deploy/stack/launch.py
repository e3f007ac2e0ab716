"""Replaces this process by a program that dies with its parent. Started by root, it runs as an unprivileged user where root may not run it.

Run by path (`python -I -S launch.py …`), before anything else is imported, so that no thread or open file travels along.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
KEEP_CAPS_ACROSS_SETUID = 1 << 2 | 1 << 4  # SECBIT_NO_SETUID_FIXUP, SECBIT_KEEP_CAPS
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def become(uid: int) -> None:
    """Switches to this user for good and keeps one capability: to pass through closed folders.

    The checkout and the data may lie below a folder like /root (mode 700), whose permissions are not ours to change.
    Without that capability (in a container that lacks it) the folders have to be passable.
    """
    capability_kept = next((capability for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if _permitted(capability)), None)
    if capability_kept is not None and not _prctl(PR_SET_SECUREBITS, KEEP_CAPS_ACROSS_SETUID):
        capability_kept = None
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    if capability_kept is not None:
        _keep_only(capability_kept)


def _permitted(capability: int) -> bool:
    if sys.platform != "linux":
        return False
    with open("/proc/self/status") as status:
        permitted = next((int(line.split()[1], 16) for line in status if line.startswith("CapPrm:")), 0)
    return bool(permitted >> capability & 1)


def _keep_only(capability: int) -> None:
    bits = 1 << capability
    sets = (_Sets * 2)(_Sets(bits, bits, bits), _Sets(0, 0, 0))
    header = _Header(CAPABILITY_VERSION_3, 0)
    if ctypes.CDLL(None).capset(ctypes.byref(header), sets) == 0:
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _prctl(*arguments: int) -> bool:
    if sys.platform != "linux":
        return False
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)][:5]
    return ctypes.CDLL(None).prctl(*padded) == 0


def main(parent: int, signal: int, uid: int, command: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold answers
    if uid >= 0:
        become(uid)
    if sys.platform == "linux":  # after the change of user, which would clear it
        _prctl(PR_SET_PDEATHSIG, signal)
        if os.getppid() != parent:
            sys.exit("The parent ended before its child began.")
    try:
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"error: {command[0]} cannot be started ({error.strerror})")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])

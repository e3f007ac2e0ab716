"""Settings of the analysis service, read once at the start."""

from __future__ import annotations

from pathlib import Path

import msgspec

from services.runtime.http.connection_limit import ALL, EACH
from services.runtime.http.host_guard import LOOPBACK, HostGuard
from services.runtime.logs import LogFormat
from services.runtime.settings import UnknownSetting


class Settings(msgspec.Struct, frozen=True):
    """`partitions`: "all", numbers like "0,2" where several workers share the journal, or "none" for a gateway, which serves
    figures and counts nothing. The record key file holds the secret of the noise: every worker needs the same, and it must
    not change while a survey runs.

    `followers`: how many may follow live figures at a time, and how many of them from one address, as the reverse proxies of
    the networks `proxies` tell it. `log_format` is "text" for people, "json" for a collector. `public_url` and `metrics_from` as
    `services.runtime.http.host_guard` has them.
    """

    nats_url: str
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8001
    record_key_file: str = ""
    partitions: str = "all"
    public_url: str = ""
    proxies: str = ""
    metrics_from: str = LOOPBACK
    followers: int = ALL
    followers_each: int = EACH
    log_format: LogFormat = "text"

    def __post_init__(self) -> None:
        self.host_guard()
        for name in ("database_url", "record_key_file"):
            if self.counts and not getattr(self, name):
                raise ValueError(f"PLATEA_{name.upper()} is missing.")

    def host_guard(self) -> HostGuard:
        return HostGuard.of(self.public_url, self.proxies, self.metrics_from)

    @property
    def counts(self) -> bool:
        return self.partitions != "none"

    def owned(self, count: int) -> list[int]:
        """The partitions this worker handles, of `count` that there are. Raises UnknownSetting."""
        if self.partitions == "all":
            return list(range(count))
        try:
            numbers = sorted({int(part) for part in self.partitions.split(",")})
        except ValueError:
            raise UnknownSetting('PLATEA_PARTITIONS does not fit: give "all", "none" or numbers like "0,2".') from None
        if not numbers or numbers[0] < 0 or numbers[-1] >= count:
            raise UnknownSetting(f"PLATEA_PARTITIONS does not fit: the journal has partitions 0 to {count - 1}.")
        return numbers

    def record_key(self) -> bytes:
        """Raises UnknownSetting."""
        try:
            key = Path(self.record_key_file).read_bytes().strip()
        except OSError as error:
            raise UnknownSetting(f"PLATEA_RECORD_KEY_FILE cannot be read: {error.strerror}.") from None
        if not 16 <= len(key) <= 64:
            raise UnknownSetting("PLATEA_RECORD_KEY_FILE must hold 16 to 64 bytes.")
        return key

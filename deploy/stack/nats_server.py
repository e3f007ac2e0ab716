"""The embedded nats-server: its files, its program, the address that each service connects to."""

from __future__ import annotations

import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from deploy.keys import KeyFolder
from deploy.provisioning.nats_users import quoted, write_passwords
from deploy.stack.health import ask, is_well
from deploy.stack.ports import free
from deploy.stack.program import Program

CONFIGURATION = Path(__file__).parents[1] / "nats"


def binary() -> Path:
    """The server that the wheel put beside the interpreter."""
    path = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not path.exists():
        raise FileNotFoundError("nats-server is not installed in this Python environment")
    return path


@dataclass(frozen=True)
class NatsServer:
    """One server on loopback with its data below `folder`."""

    folder: Path
    keys: KeyFolder
    port: int
    monitor: int
    websocket: int
    name: str = "platea"

    @staticmethod
    def embedded(folder: Path, keys: KeyFolder) -> NatsServer:
        return NatsServer(folder, keys, free(), free(), free())

    def url(self, user: str) -> str:
        return f"nats://{user}:{self.keys.in_url(f'nats-{user}')}@127.0.0.1:{self.port}"

    def program(self, configuration: str = "server.conf", **settings: str) -> Program:
        """Writes the configuration into the data folder and returns the program to start."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in CONFIGURATION.glob("*.conf"):
            shutil.copyfile(file, self.folder / file.name)
        write_passwords(self.folder / "passwords.conf", self.keys)
        return Program(
            name="nats",
            command=[str(binary()), "--config", str(self.folder / configuration)],
            settings={
                "NATS_NAME": quoted(self.name),
                "NATS_HOST": quoted("127.0.0.1"),
                "NATS_PORT": str(self.port),
                "NATS_MONITOR": quoted(f"127.0.0.1:{self.monitor}"),
                "NATS_WEBSOCKET_HOST": quoted("127.0.0.1"),
                "NATS_WEBSOCKET_PORT": str(self.websocket),
                "NATS_STORE": quoted(str(self.folder / "store")),
                **settings,
            },
            ready=self.ready,
            answers=self.answers,
        )

    async def ready(self) -> bool:
        """JetStream has read its streams back and takes requests."""
        return await is_well(f"http://127.0.0.1:{self.monitor}/healthz")

    async def answers(self) -> bool:
        """False only where a process listens on the port and does not answer."""
        try:
            await ask(f"http://127.0.0.1:{self.monitor}/healthz")
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    async def has_stopped_writing(self) -> bool:
        """After a write that failed, as on a full disk, a stream takes nothing more until the server starts again."""
        try:
            status, answer = await ask(f"http://127.0.0.1:{self.monitor}/healthz")
        except (OSError, TimeoutError):
            return False
        return status == 503 and b"write error" in answer

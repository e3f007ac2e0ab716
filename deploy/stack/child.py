"""A child process of the stack: started, listened to, noticed when it ends, started again, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from deploy.refusal import Refusal
from deploy.stack.bounded_log import BoundedLog
from deploy.stack.program import Program
from deploy.stack.pulse import Pulse

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 20.0
HUNG = 30.0
"""Seconds without a sign of life, or an answer, after which a child that is there counts as hung."""
LOOKS = 10
"""Looks within these seconds. Time in which we did not run ourselves, as on a machine that slept, is one look at most."""
STEADY = 30.0
"""Seconds of running after which a crash counts as the first again."""


class Child:
    """`make` is called before every start: it may have to tidy up what the last run left."""

    def __init__(self, make: Callable[[], Program], logs: Path) -> None:
        self._make, self._logs = make, logs
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._stopping = self._renewing = False
        self._pulse: Pulse | None = None

    async def start(self, seconds: float | None) -> None:
        """Returns when it is ready, or at once where no seconds are given. Raises Refusal where it ends before that or takes longer."""
        await self._spawn()
        if seconds is None:
            return
        deadline = time.monotonic() + seconds
        while not await self._is_ready():
            assert self._process is not None
            if self._process.returncode is not None:
                await self._finish_log()
                raise Refusal(f"{self.program.name} did not start: {self._log.last() or 'it ended without a word'}", self._look())
            if time.monotonic() > deadline:
                raise Refusal(f"{self.program.name} is not ready after {seconds:.0f} seconds.", self._look())
            await asyncio.sleep(0.03)

    async def keep(self, say: Callable[[str], None]) -> None:
        """Starts it again whenever it ends, after a pause that doubles while it keeps ending. Runs until `stop`."""
        pause = FIRST_PAUSE
        while not self._stopping:
            assert self._process is not None
            begun = time.monotonic()
            code = await self._process.wait()
            if self._stopping:
                return
            if time.monotonic() - begun > STEADY:
                pause = FIRST_PAUSE
            if not self._renewing:
                say(f"{self.program.name} ended unexpectedly ({_reason(code)}); starting it again. {self._look()}")
            self._renewing = False
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await self._spawn()
            except (Refusal, OSError) as error:  # what keeps it from starting may pass, as a full disk does
                say(f"{self.program.name} cannot be started: {error}")

    async def watch(self, say: Callable[[str], None]) -> None:
        """Ends a process that hangs, so that `keep` restarts it, or reports it where a restart would not be safe. Runs until `stop`."""
        silent, heard, reported = 0, 0, False
        while not self._stopping:
            await asyncio.sleep(HUNG / LOOKS)
            process, before, heard = self._process, heard, self._pulse.heard if self._pulse else 0
            if process is None or process.returncode is not None or await self._shows_life(before, heard):
                if reported:
                    say(f"{self.program.name} answers again.")
                silent, reported = 0, False
                continue
            silent += 1
            if silent < LOOKS or reported or process is not self._process or self._stopping:
                continue
            why = f"{self.program.name} is there and has not answered for {HUNG:.0f} seconds"
            if self.program.hung:
                reported = True
                say(f"{why}. {self.program.hung} {self._look()}")
            else:
                silent = 0
                say(f"{why}; starting it again. {self._look()}")
                await self.renew()

    async def _shows_life(self, before: int, heard: int) -> bool:
        """A program counts as alive until it has sent its first sign: it may have to wait for others before it serves."""
        if self.program.beats:
            return heard == 0 or heard != before
        return self.program.answers is None or await self.program.answers()

    async def renew(self) -> None:
        """Ends it, so that `keep` starts it again."""
        self._renewing = True
        await self._end()

    async def stop(self) -> None:
        """Asks it to end, and ends it where it does not."""
        self._stopping = True
        await self._end()
        await self._finish_log()
        if self._pulse is not None:
            self._pulse.close()
            self._pulse = None

    async def _end(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.program.stop)
        try:
            async with asyncio.timeout(self.program.patience):
                await self._process.wait()
        except TimeoutError:
            self._kill()
            await self._process.wait()

    def kill(self) -> None:
        """Ends the process at once; it is not restarted."""
        self._stopping = True
        self._kill()

    def _kill(self) -> None:
        """Ends it and the children it has, stopped ones too."""
        if self._process is None or self._process.returncode is not None:
            return
        pid = self._process.pid
        with contextlib.suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _spawn(self) -> None:
        self.program = await asyncio.to_thread(self._make)
        self._log = BoundedLog(self._logs / f"{self.program.name}.log")
        if self._stopping:
            return
        if self._pulse is not None:
            self._pulse.close()
        self._pulse = Pulse(HUNG / LOOKS) if self.program.beats else None
        # A session of its own keeps the terminal's Ctrl-C away from it: we end the children, in our order.
        self._process = await asyncio.create_subprocess_exec(
            *self.program.line(),
            env=self.program.environment() | (self._pulse.settings if self._pulse else {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._listening = asyncio.create_task(self._listen(self._process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        log = self._log
        while part := await process.stdout.read(65536):
            log.write(part)
        log.end()

    async def _finish_log(self) -> None:
        if self._listening is not None:
            await asyncio.wait([self._listening], timeout=0.5)

    async def _is_ready(self) -> bool:
        try:
            return await self.program.ready()
        except Exception:  # however it fails to answer, it is not ready yet
            return False

    def _look(self) -> str:
        return f"Its log is {self._logs / self.program.name}.log."


def _reason(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"

"""Rasterises a chart to PNG with a bundled font, so that it looks the same on every machine.

The library draws for a third of a second without letting go of the interpreter, so it does so in a process of its own, behind
everything else: `python -m services.analysis.dashboard.png ZOOM` takes SVG and gives PNG.
"""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.resources import files

from proto.problem import Problem
from services.analysis.dashboard.svg_canvas import PAPER, Chart

PIXELS = 24_000_000
"""Most of a picture; larger charts are drawn at their plain size."""
ZOOM = 2
LARGE = 250_000
"""Letters of SVG from which on a chart is drawn at its plain size: a table of 1,500 cells has so many, and takes a second."""
PATIENCE = 30.0
FAMILY = "Source Sans Pro"
"""Licensed under the SIL Open Font License 1.1; it has the Latin, Greek and Cyrillic letters of the Union's languages."""


async def png(chart: Chart) -> bytes:
    """Raises Problem where it takes too long."""
    zoom = ZOOM if chart.width * chart.height * ZOOM**2 <= PIXELS and len(chart.svg) <= LARGE else 1
    pipe = asyncio.subprocess.PIPE
    drawing = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, str(zoom), stdin=pipe, stdout=pipe)
    try:
        async with asyncio.timeout(PATIENCE):
            drawn, _ = await drawing.communicate(chart.svg.encode())
    except TimeoutError:
        drawn = b""
    finally:
        if drawing.returncode is None:
            drawing.kill()
            await drawing.wait()
    if drawing.returncode or not drawn:
        raise Problem("unavailable", "The picture cannot be drawn just now. The same address with .svg has it.", retry_after=10)
    return drawn


def draw(svg: str, zoom: int) -> bytes:
    # Imported where it is used: the services themselves have no use for 3 MB of it.
    import font_source_sans_pro
    import resvg_py

    folder = files(font_source_sans_pro) / "files"
    faces = [str(folder / f"SourceSansPro-{weight}.ttf") for weight in ("Regular", "Semibold")]
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        background=PAPER,
        zoom=zoom,
        skip_system_fonts=True,
        font_files=faces,
        font_family=FAMILY,
        sans_serif_family=FAMILY,
    )


if __name__ == "__main__":
    os.nice(10)
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read().decode(), int(sys.argv[1])))

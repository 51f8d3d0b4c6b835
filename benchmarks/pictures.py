"""Pictures for the documentation: the report and the web page of a run.

    python -m benchmarks.pictures runs/id-hate --text "kamu bodoh sekali"

Writes report.png and web.png. Needs the program chromium, and npm as `kerasclf web` does.
"""

import http.server
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro

from benchmarks.browser import ARGUMENTS, find_browser, serve
from kerasclf import command
from kerasclf.errors import UserError
from kerasclf.files import check_writable
from kerasclf.run.layout import RunLayout

PICTURE = ("--hide-scrollbars", "--force-device-scale-factor=2")
REPORT_SIZE, WEB_SIZE = (840, 900), (640, 640)
"""Width and height in CSS pixels."""
COLORS = 128
"""Colors of a picture's palette: flat pages need few, and the files stay small."""
WAIT = "wait.js"
"""A script that the server holds back, which delays the screenshot until the text is classified."""
WAIT_SECONDS = 15


@dataclass
class PicturesOptions(command.Options):
    """Take pictures of a run's report and of its web page."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run of --encoder bytes, or of all runs of a name for the newest."""
    text: str = "kamu bodoh sekali"
    """Text in the picture of the web page."""
    output: Path = Path("docs/images")
    """Folder for report.png and web.png."""


def take_pictures(options: PicturesOptions) -> dict[str, Any]:
    """Takes both pictures.

    Raises:
        UserError: there is no such run, or its web page cannot be built.
        UnsupportedError: there is no Chromium.
    """
    layout = RunLayout.open_network(options.run)
    report, web = options.output / "report.png", options.output / "web.png"
    check_writable(report)
    program = find_browser()
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page"
        _build_page(layout, page, options.text)
        take_screenshot(program, layout.report.absolute().as_uri(), report, REPORT_SIZE)
        (page / WAIT).write_text("")
        with serve(partial(_Handler, directory=str(page))) as address:
            take_screenshot(program, address, web, WEB_SIZE)
    return {"files": [str(report), str(web)]}


def _build_page(layout: RunLayout, page: Path, text: str) -> None:
    """Builds the web page of a run, with a text already in its box."""
    build = [sys.executable, "-m", "export.web", str(layout.root), f"--output={page}"]
    if subprocess.run(build, stdout=subprocess.DEVNULL, check=False).returncode:
        raise UserError(f"the web page of {layout.root} could not be built; see above")
    index = page / "index.html"
    html = index.read_text(encoding="utf-8")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    html = html.replace("</textarea>", f"{escaped}</textarea>")
    wait = f'<script src="{WAIT}" async></script>'
    index.write_text(html.replace("</body>", f"{wait}</body>"), encoding="utf-8")


def take_screenshot(program: str, address: str, path: Path, size: tuple[int, int]) -> None:
    """Writes what a browser shows at an address as a PNG with a palette.

    Args:
        program: path of Chromium.
        address: file or http URL.
        path: file to write.
        size: width and height of the window in CSS pixels.

    Raises:
        RuntimeError: the browser wrote no picture.
    """
    from PIL import Image

    with tempfile.TemporaryDirectory() as profile:
        picture = Path(profile) / "picture.png"
        result = subprocess.run(
            [
                *(program, *ARGUMENTS, *PICTURE, f"--user-data-dir={profile}/profile"),
                *(f"--window-size={size[0]},{size[1]}", f"--screenshot={picture}", address),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if not picture.is_file():
            raise RuntimeError(f"{program} wrote no picture: {result.stderr.strip()[-300:]}")
        with Image.open(picture) as image:
            flat = image.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
        flat.save(path, optimize=True)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a log, and `WAIT` only after a while."""

    def do_GET(self) -> None:
        if self.path == f"/{WAIT}":
            time.sleep(WAIT_SECONDS)
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


def show(result: dict[str, Any]) -> None:
    """Prints the files."""
    print(f"written to {' and '.join(result['files'])}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(PicturesOptions)
    return command.run(parser, take_pictures, show, argv, "python -m benchmarks.pictures")


if __name__ == "__main__":
    sys.exit(main())

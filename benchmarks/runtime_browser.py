"""Runs benchmarks/runtime_driver.mjs in a headless Chromium."""

import http.server
import json
import queue
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.browser import ARGUMENTS, serve

# Without a debugger, a headless browser may exit before the page has ended.
DEBUGGER = "--remote-debugging-port=0"
DRIVER = Path(__file__).with_name("runtime_driver.mjs")
PAGE = b"""<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="importmap">
  {
    "imports": {
      "@litertjs/core": "/litert/core/dist/index.js",
      "@litertjs/wasm-utils": "/litert/wasm-utils/dist/index.js",
      "onnxruntime-web": "/npm/onnxruntime-web/dist/ort.wasm.min.mjs"
    }
  }
</script>
<script type="module" src="/driver.mjs"></script>
"""
TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}
DEADLINE = 300
"""Seconds for all texts."""


def label_in_browser(
    program: str, runtime: str, folders: dict[str, Path], file: Path, rows: Path
) -> dict[str, Any]:
    """Labels texts on a page.

    Args:
        program: path of Chromium.
        runtime: @litertjs/core or onnxruntime-web.
        folders: folder of each first part of an address ("litert", "npm").
        file: the model.
        rows: JSON file, as runtime_driver.py reads it.

    Returns:
        "labels", a list of n class ids; or "error", why there are none.
    """
    files = {"driver.mjs": DRIVER, "model": file, "rows": rows}
    results: queue.Queue[bytes] = queue.Queue()
    with (
        serve(_make_handler(files, folders, results)) as address,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        browser = subprocess.Popen(
            [program, *ARGUMENTS, DEBUGGER, f"--user-data-dir={profile}", f"{address}#{runtime}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return json.loads(results.get(timeout=DEADLINE))
        except queue.Empty:
            return {"error": f"no answer within {DEADLINE} s"}
        finally:
            browser.terminate()
            browser.wait()


def _make_handler(
    files: dict[str, Path], folders: dict[str, Path], results: "queue.Queue[bytes]"
) -> type[http.server.BaseHTTPRequestHandler]:
    """Serves the page, files by name and folders by their first part; takes the answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            first, _, rest = self.path.partition("?")[0].lstrip("/").partition("/")
            path = folders[first] / rest if first in folders else files.get(first)
            content = PAGE if not first else path.read_bytes() if path and path.is_file() else None
            self.send_response(404 if content is None else 200)
            kind = TYPES.get(Path(self.path).suffix, "application/octet-stream")
            self.send_header("Content-Type", kind if first else "text/html")
            self.end_headers()
            self.wfile.write(content or b"")

        def do_POST(self) -> None:
            results.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler

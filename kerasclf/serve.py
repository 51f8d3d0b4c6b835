"""`kerasclf serve`: an HTTP server of finished runs."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.console import say
from kerasclf.errors import UserError
from kerasclf.extras import check_installed


@dataclass
class ServeOptions(command.Options):
    """Serve finished runs over HTTP: TF Serving's REST API, the Open Inference Protocol v2, a page.

    A run of a folder of runs is replaced as soon as a newer one is finished.
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Folders of runs, or of all runs of a name for the newest and those that follow."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all networks."""
    port: int = 8501
    """Port to listen on; 0 for a free one."""
    max_texts: int = 10_000
    """Texts in a request at most."""
    max_megabytes: float = 16.0
    """Size of a request at most."""
    timeout: float = 10.0
    """Seconds within which a request must be complete, and in which a stopping server finishes."""


def serve(options: ServeOptions) -> dict[str, Any]:
    """Serves until it is told to stop."""
    if not options.runs:
        raise UserError("no run given; expected a folder such as runs/NAME")
    if not 0 <= options.port < 2**16:
        raise UserError(f"--port is {options.port}; expected 0 to 65535")
    for name in ("max_texts", "max_megabytes", "timeout"):
        if not getattr(options, name) > 0:
            flag = name.replace("_", "-")
            raise UserError(f"--{flag} is {getattr(options, name)}; expected a number above 0")
    for module, package in (("uvicorn", "uvicorn"), ("starlette", "starlette")):
        check_installed(module, package, "server")
    from kerasclf.server.listen import listen
    from kerasclf.server.models import Models
    from kerasclf.server.requests import Limits

    models = Models(options.runs)
    limits = Limits(options.max_texts, int(options.max_megabytes * 2**20), options.timeout)
    names = ", ".join(model.name for model in models)
    listen(models, limits, options.host, options.port, lambda url: say(f"{names} at {url}"))
    return {"models": [model.name for model in models], "pid": os.getpid()}


def show(result: dict[str, Any]) -> None:
    """Prints that the server has stopped."""
    say("stopped")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(ServeOptions), serve, show, argv, "kerasclf serve")


if __name__ == "__main__":
    sys.exit(main())

"""Where exports are written: default names, checks before any work, and whole folders."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerasclf.errors import UserError
from kerasclf.files import check_writable
from kerasclf.temporary import making

SAVED_MODELS = Path("saved_models")


def default_output(metrics: dict[str, Any], ending: str) -> Path:
    """The default place of an export: `saved_models/NAME-N` and an ending.

    Args:
        metrics: content of the run's metrics.json.
        ending: such as ".onnx" or "-compressed".
    """
    return SAVED_MODELS / f"{metrics['name']}-{metrics['number']}{ending}"


def check_file(output: Path, suffix: str) -> None:
    """Checks that a file can be written.

    Raises:
        UserError: its name does not end in `suffix`, or it cannot be written.
    """
    if output.suffix != suffix:
        raise UserError(f"--output is {output}; expected a name that ends in {suffix}")
    check_writable(output)


def check_new(output: Path) -> None:
    """Checks that a folder can be created.

    Raises:
        UserError: `output` already exists or cannot be created.
    """
    if output.exists():
        raise UserError(f"--output {output} already exists; give a new folder")
    check_writable(output)


@contextlib.contextmanager
def whole(output: Path) -> Iterator[Path]:
    """Yields a folder that becomes `output` when the block ends without an error.

    Raises:
        UserError: another process created `output` in the meantime.
    """
    output = output.absolute()
    with making(output) as folder:
        folder.mkdir()
        yield folder
        try:
            folder.rename(output)
        except OSError as error:
            if not output.exists():
                raise
            raise UserError(
                f"another process has written {output} in the meantime; give a new folder"
            ) from error

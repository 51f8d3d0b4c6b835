"""TF Serving's protocol buffers without TensorFlow's libraries.

The generated modules of tensorflow-serving-api import protocol buffer modules of the package
tensorflow, whose `__init__` takes seconds to load. The modules themselves need only protobuf.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kerasclf import extras

NEEDED = "tensorflow_serving"


def check_installed() -> None:
    """Checks that tensorflow-serving-api is installed.

    Raises:
        UnsupportedError: it is not installed.
    """
    extras.check_installed(NEEDED, "tensorflow-serving-api", "serving")


@contextmanager
def only_protos() -> Iterator[None]:
    """Lets the block import generated modules of `tensorflow.core` without loading TensorFlow.

    Inside the block, `tensorflow` is a package whose `__init__` has not run. Afterwards it is
    removed from `sys.modules`, so that a later `import tensorflow` loads all of it; both share the
    same message classes. If TensorFlow is already imported, nothing changes.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    spec = importlib.util.find_spec("tensorflow")
    if spec is None:
        raise ModuleNotFoundError("tensorflow is not installed")
    sys.modules["tensorflow"] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow"]:
            del sys.modules[name]

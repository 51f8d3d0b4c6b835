"""TF Serving's protocol buffers without TensorFlow's libraries.

The generated modules of tensorflow-serving-api import protocol buffers of the package tensorflow,
whose `__init__` loads all of it, which takes seconds. The protocol buffers themselves need only
protobuf.
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
        UserError: it is not.
    """
    extras.check_installed(NEEDED, "tensorflow-serving-api", "serving")


@contextmanager
def only_protos() -> Iterator[None]:
    """Lets the block import generated modules of `tensorflow.core` without running TensorFlow.

    For that time the package is one whose `__init__` has not run. It is forgotten afterwards, so
    that a later `import tensorflow` is complete; both then share the same message classes. Where
    TensorFlow is imported already, nothing is changed.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    spec = importlib.util.find_spec("tensorflow")
    sys.modules["tensorflow"] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow"]:
            del sys.modules[name]

"""Train, calibrate and evaluate text classifiers from a table of texts and labels.

```python
import kerasclf

classifier = kerasclf.train("posts.csv", text_column="tweet", label_column="level")
classifier.metrics["macro_f1"], classifier.metrics.interval("macro_f1")
classifier.predict(["selamat pagi"])["predicted_label"][0]
classifier.export("model.tflite")

classifier = kerasclf.load("runs/posts")
```
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

# Keras reads this when it is imported; input pipelines and exports need TensorFlow.
os.environ["KERAS_BACKEND"] = "tensorflow"

if TYPE_CHECKING:
    from pathlib import Path

    from kerasclf.trained import Classifier

__version__ = "0.1.0"

_ELSEWHERE = {"search": "tuning.api", "distill": "export.api"}
"""Functions of the packages that build on this one, by name."""
_CALLABLE = ("train", "evaluate", "compare", "crossval")
"""Commands that are functions, too: `kerasclf.train(...)` (see `kerasclf.callable_module`)."""


def load(run: "str | Path") -> "Classifier":
    """Loads a finished run, or the newest run in a folder of runs.

    Args:
        run: `runs/NAME/N`, or `runs/NAME` for the newest run of that name.

    Raises:
        kerasclf.errors.UserError: there is no finished run.
    """
    from kerasclf.trained import Classifier

    return Classifier.load(run)


def __getattr__(name: str) -> Any:
    """Imports what is not imported with the package, since it takes time."""
    if name in _CALLABLE:
        return importlib.import_module(f"kerasclf.{name}")
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    if name == "Classifier":
        from kerasclf.trained import Classifier

        return Classifier
    if name == "TextClassifier":
        from kerasclf.text_classifier import TextClassifier

        return TextClassifier
    raise AttributeError(f"module 'kerasclf' has no attribute {name!r}")

"""Train, calibrate and evaluate text classifiers from a table of texts and labels.

```python
import kerasclf

classifier = kerasclf.load("runs/chat-language/1")
classifier.predict(["selamat pagi"])["predicted_label"][0]  # "indonesian"
```
"""

import os
from typing import TYPE_CHECKING

# Keras reads this when it is imported; input pipelines and exports need TensorFlow.
os.environ["KERAS_BACKEND"] = "tensorflow"

if TYPE_CHECKING:
    from pathlib import Path

    from kerasclf.classifier import Classifier

__version__ = "0.1.0"


def load(run: "str | Path") -> "Classifier":
    """Loads a finished run, or the newest run in a folder of runs.

    Args:
        run: `runs/NAME/N`, or `runs/NAME` for the newest run of that name.

    Raises:
        kerasclf.errors.UserError: there is no finished run.
    """
    # Imported here, so that `import kerasclf` does not import TensorFlow.
    from kerasclf.classifier import Classifier

    return Classifier.load(run)

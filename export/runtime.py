"""Runs a classifying .tflite with numpy and ai-edge-litert alone, as a device does.

This file imports nothing of kerasclf: `kerasclf edge` ships it to devices as classify.py.

    python classify.py "a text" "another"
    python classify.py --self-test
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

METADATA = "metadata.json"


def encode(text: str, max_bytes: int) -> np.ndarray:
    """UTF-8 bytes of a text, int32 [1, max_bytes], cut and padded with 0."""
    raw = text.encode("utf-8", "replace")[:max_bytes]
    padded = np.zeros((1, max_bytes), dtype=np.int32)
    padded[0, : len(raw)] = np.frombuffer(raw, dtype=np.uint8)
    return padded


def read_metadata(content: bytes) -> dict[str, Any]:
    """Labels, decision and the rest that a classifying .tflite carries.

    Raises:
        ValueError: there is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return json.loads(archive.read(METADATA))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError("it carries no metadata.json") from error


class EdgeClassifier:
    """A .tflite of kerasclf: texts to labels, one at a time.

    A file that takes token ids needs someone who makes them: tokenizers are not here.

    Example:

        >>> classifier = EdgeClassifier(Path("model.tflite"))
        >>> classifier.classify("selamat pagi")["label"]
        'indonesian'
    """

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        read: Callable[[str], dict[str, np.ndarray]] | None = None,
    ):
        """Loads a file.

        Args:
            path: of the file.
            threads: threads of the interpreter.
            read: a text to the file's inputs by name; not needed for a file that takes bytes.

        Raises:
            ValueError: it is no .tflite of kerasclf, or is cut off.
        """
        from ai_edge_litert.interpreter import Interpreter

        content = path.read_bytes()
        self.metadata = read_metadata(content)
        self.labels = self.metadata["labels"]
        self.takes_tokens = "max_tokens" in self.metadata
        self._read = read or self._read_bytes
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._run = self._interpreter.get_signature_runner()

    def run(self, text: str) -> dict[str, np.ndarray]:
        """The file's outputs: probabilities [1, classes], label [1], review [1]."""
        return self._run(**self._read(text))

    def run_ones(self) -> dict[str, np.ndarray]:
        """The outputs for inputs of ones; shapes are static, so that any input takes as long."""
        details = self._run.get_input_details().items()
        return self._run(**{name: np.ones(d["shape"], d["dtype"]) for name, d in details})

    def _read_bytes(self, text: str) -> dict[str, np.ndarray]:
        if self.takes_tokens:
            raise ValueError("it takes token ids, and there is no tokenizer here")
        return {"bytes": encode(text, self.metadata["max_bytes"])}

    def classify(self, text: str) -> dict[str, Any]:
        """Label, review flag and probabilities by label."""
        found = self.run(text)
        probabilities = found["probabilities"][0].tolist()
        return {
            "label": self.labels[int(found["label"][0])],
            "review": bool(found["review"][0]),
            "probabilities": dict(zip(self.labels, probabilities, strict=True)),
        }


def self_test(model: Path, golden: Path) -> list[str]:
    """Runs the golden texts on this device.

    Args:
        model: the .tflite.
        golden: JSON list of {"text", "label", "review", "probabilities"}.

    Returns:
        A line for each text whose label, flag or probabilities (by over 0.01) differ.
    """
    classifier = EdgeClassifier(model)
    failures = []
    for expected in json.loads(golden.read_text(encoding="utf-8")):
        found = classifier.classify(expected["text"])
        differences = [
            abs(found["probabilities"][label] - p) for label, p in expected["probabilities"].items()
        ]
        same = all(found[key] == expected[key] for key in ("label", "review"))
        if not same or not max(differences) <= 0.01:
            failures.append(f"{expected['text'][:40]!r}: {found['label']}, {max(differences):.3g}")
    return failures


def main(arguments: list[str]) -> int:
    """Classifies texts with the model.tflite beside this file, or tests it."""
    here = Path(__file__).resolve().parent
    if not arguments:
        print("give texts, or --self-test", file=sys.stderr)
        return 2
    if arguments == ["--self-test"]:
        failures = self_test(here / "model.tflite", here / "golden.json")
        print("\n".join(failures) or "self-test passed")
        return 1 if failures else 0
    classifier = EdgeClassifier(here / "model.tflite")
    for text in arguments:
        found = classifier.classify(text)
        probability = found["probabilities"][found["label"]]
        flag = "  review" if found["review"] else ""
        print(f"{found['label']}  {probability:.3f}{flag}  {text!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

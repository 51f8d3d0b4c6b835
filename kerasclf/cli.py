"""The `kerasclf` program: one entry point for every command of the project."""

import difflib
import importlib
import sys
from collections.abc import Sequence

from kerasclf import __version__

COMMANDS = {
    "train": ("kerasclf.train", "Train, calibrate, evaluate and report a classifier."),
    "evaluate": ("kerasclf.evaluate", "Evaluate a run on its test rows or on new data."),
    "report": ("kerasclf.report.__main__", "Draw the report of a finished run again."),
    "compare": ("kerasclf.compare", "Compare runs on the test rows they share."),
    "crossval": ("kerasclf.crossval", "Cross-validate a configuration on the training rows."),
    "ensemble": ("kerasclf.ensemble", "Combine runs by soft voting."),
    "progress": ("kerasclf.progress", "Write a progress page over all runs of a name."),
    "attack": ("kerasclf.attack", "Evaluate a run on perturbed test rows (typos, leet, ...)."),
    "predict": ("kerasclf.predict", "Predict labels of texts, or of a table, with a run."),
    "verify": ("kerasclf.verify", "Check that the files of a run are as they were written."),
    "clean": ("kerasclf.clean", "List and remove what killed processes left."),
    "explain": ("kerasclf.explain", "Show which words of a text made its label."),
    "review": ("kerasclf.review", "Write a page to check suspected labels and errors on."),
    "suspects": (
        "kerasclf.suspects",
        "List the labels that models doubt, as CSV or JSON lines.",
    ),
    "label-next": ("kerasclf.label_next", "Choose unlabelled texts to label first."),
    "sources": ("kerasclf.sources", "Measure what the rows of each source are worth."),
    "doctor": ("kerasclf.doctor", "Check a table for problems before training on it."),
    "search": ("tuning.search", "Search for the best hyperparameters."),
    "distill": ("export.distill", "Distill larger runs into a small student."),
    "prune": ("export.prune", "Fine-tune a run with weight pruning."),
    "cluster": ("export.cluster", "Fine-tune a run with weight clustering."),
    "qat": ("export.qat", "Fine-tune a run with quantization-aware training."),
    "tflite": ("export.tflite", "Export a run to a self-contained .tflite file."),
    "compress": ("export.compress", "Find the cheapest .tflite export of a run within a budget."),
    "edge": ("export.edge", "Build a folder that runs on a device without TensorFlow."),
    "web": ("export.web", "Build a static web page that classifies in the browser."),
    "benchmark": ("export.benchmark", "Benchmark .tflite files: latency, memory, size, accuracy."),
    "onnx": ("export.onnx", "Export a run to a self-contained ONNX file."),
    "tftrt": ("export.tftrt", "Convert a run to a SavedModel with TensorRT engines (TF-TRT)."),
    "saved_model": ("export.saved_model", "Publish a run as a model version for TF Serving."),
    "batch": ("export.batch", "Predict labels of tables of any size, on one machine or on Spark."),
    "serve": ("kerasclf.serve", "Serve runs over HTTP, without TensorFlow."),
    "request": ("kerasclf.request", "Predict labels of texts with a served model."),
    "loadtest": ("kerasclf.loadtest", "Measure the latency of a served model under load."),
    "datasets": ("kerasclf.datasets", "List the data sets that --dataset accepts."),
    "completion": ("kerasclf.completion", "Print a script that completes commands in a shell."),
}


def help_text() -> str:
    """The program's help, with one line per command."""
    lines = [f"  {name:<11} {line}" for name, (_, line) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: kerasclf COMMAND [OPTIONS]",
            "",
            "Train, evaluate and export text classifiers from a table of texts and labels.",
            "",
            "commands:",
            *lines,
            "",
            "Run kerasclf COMMAND --help for the options of a command, kerasclf --version for the",
            "version.",
        ]
    )


def _wrong_command(arguments: Sequence[str]) -> str:
    if not arguments:
        return "found no command; expected one such as train, predict or doctor"
    near = difflib.get_close_matches(arguments[0], COMMANDS, 1)
    hint = f"did you mean {near[0]!r}?" if near else "expected one such as train or predict"
    return f"there is no command {arguments[0]!r}; {hint}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that the first argument names, and returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    if arguments[:1] in (["--help"], ["-h"]):
        print(help_text())
        return 0
    if arguments[:1] == ["--version"]:
        print(f"kerasclf {__version__}")
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        print(f"kerasclf: {_wrong_command(arguments)}; see kerasclf --help", file=sys.stderr)
        return 2
    module, _ = COMMANDS[arguments[0]]
    return importlib.import_module(module).main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main())

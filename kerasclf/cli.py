"""The `kerasclf` program: every command of the project by its short name."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "train": ("kerasclf.train", "Train, calibrate, measure and report a classifier."),
    "evaluate": ("kerasclf.evaluate", "Measure a trained run, on its test rows or on new data."),
    "compare": ("kerasclf.compare", "Compare runs on the test rows that they share."),
    "crossval": ("kerasclf.crossval", "Train and measure on folds of the training rows."),
    "ensemble": ("kerasclf.ensemble", "Average the probabilities of runs by soft voting."),
    "progress": ("kerasclf.progress", "Make one page over all runs of a name."),
    "attack": ("kerasclf.attack", "Measure a trained run on perturbed test rows."),
    "predict": ("kerasclf.predict", "Label texts, or a whole table, with a trained run."),
    "doctor": ("kerasclf.doctor", "Say what is wrong with a table before it is trained on."),
    "search": ("tuning.search", "Search for the best training options."),
    "distill": ("export.distill", "Train a small student from larger teachers."),
    "prune": ("export.prune", "Set the smallest weights of a run to 0."),
    "cluster": ("export.cluster", "Give a run few different weights."),
    "qat": ("export.qat", "Train a run on with the rounding of int8."),
    "tflite": ("export.tflite", "Export a run as one .tflite with the decision inside."),
    "compress": ("export.compress", "Find the first file of a run that holds a budget."),
    "edge": ("export.edge", "Make a folder that classifies on a device without TensorFlow."),
    "web": ("export.web", "Make a static page that classifies as one types, in the browser."),
    "benchmark": ("export.benchmark", "Measure .tflite files: time, memory, size and accuracy."),
    "onnx": ("export.onnx", "Export a run as one ONNX file with the decision inside."),
    "tftrt": ("export.tftrt", "Convert a run for TensorRT inside TensorFlow, where it can be."),
    "saved_model": ("export.saved_model", "Publish a run as a version for TF Serving."),
    "batch": ("export.batch", "Label tables of any size on Apache Beam."),
    "request": ("kerasclf.request", "Label texts by a model that is served."),
    "loadtest": ("kerasclf.loadtest", "Measure a served model under a steady load."),
    "datasets": ("kerasclf.datasets", "List the data sets that are known by name."),
}


def help_text() -> str:
    """The program's help: a line for each command."""
    lines = [f"  {name:<11} {line}" for name, (_, line) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: kerasclf COMMAND [OPTIONS]",
            "",
            "Turn a table of texts and labels into a classifier, and measure it.",
            "",
            "commands:",
            *lines,
            "",
            "kerasclf COMMAND --help tells a command's options.",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that the first argument names, and returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["--help"], ["-h"]):
        print(help_text())
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        found = repr(arguments[0]) if arguments else "no command"
        print(f"kerasclf: found {found}, expected one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    module, _ = COMMANDS[arguments[0]]
    return importlib.import_module(module).main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main())

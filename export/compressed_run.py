"""From a run to a run of fewer or coarser weights: what prune, cluster and qat share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError

EPOCHS, LEARNING_RATE = 1, 4e-3


@dataclass
class CompressedRunOptions(command.Options):
    """Options of every command that makes a smaller run of a run."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest; of --encoder bytes."""
    epochs: int = EPOCHS
    """Epochs of the fine-tuning."""
    learning_rate: float = LEARNING_RATE
    """Learning rate that the fine-tuning begins with; it falls to 0."""
    seed: int = 0
    """Seed of the order of rows and of dropout."""
    name: str | None = None
    """Name of the new run; that of the given one with a suffix if none is given."""
    output: Path | None = None
    """Folder of all runs; that of the given run if none is given."""


def make_compressed_run(
    options: CompressedRunOptions,
    suffix: str,
    make_method: Callable[[], Any],
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Fine-tunes a run's core by a method, and measures and keeps the outcome as a run.

    Args:
        options: of the command.
        suffix: of the new run's name.
        make_method: makes the method; called after TensorFlow is imported.
        facts: what metrics.json is to say of the method.

    Returns:
        The content of metrics.json, and the run's folder under "run".

    Raises:
        UserError: the run cannot be compressed; nothing was written.
    """
    from kerasclf.config import TrainConfig
    from kerasclf.job.prepare import prepare_job
    from kerasclf.layout import RunLayout

    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    layout = RunLayout.open_network(options.run)
    base = TrainConfig.from_yaml(layout.config)
    check_bytes(layout.root, base.encoder)
    config = replace(
        base,
        split=layout.root,
        epochs=options.epochs,
        patience=options.epochs,
        learning_rate=options.learning_rate,
        seed=options.seed,
        name=options.name or f"{base.name}-{suffix}",
        output=options.output or base.output,
    )
    job = prepare_job(config)

    with command.quiet_imports():
        from export.compression.fine_tune import fine_tune
        from export.compression.twin import sparsity
        from kerasclf.classifier import Classifier
        from kerasclf.job.run import Trained, run_job
        from kerasclf.training.distillation import Teaching

    classifier = Classifier.load(layout.root)
    teaching = Teaching.load(layout.teaching) if layout.teaching.is_file() else None
    history = fine_tune(classifier.core, classifier.featurizer, job, make_method(), teaching)
    facts = {**facts, "of": str(layout.root), "sparsity": sparsity(classifier.core)}
    return run_job(job, teaching, Trained(classifier.core, history, facts))


def check_bytes(run: Path, encoder: str) -> None:
    """Checks that a run is of the bytes encoder.

    Raises:
        UserError: it is not.
    """
    if encoder != "bytes":
        raise UserError(
            f"{run} has the encoder {encoder}; only runs of --encoder bytes can be compressed"
        )


def show(metrics: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    from kerasclf.report.summary import print_summary

    print_summary(metrics)
    zeros = metrics["compression"]["sparsity"]
    print("zeros     " + ", ".join(f"{name} {share:.1%}" for name, share in zeros.items()))

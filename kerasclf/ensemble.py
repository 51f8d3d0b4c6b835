"""`kerasclf ensemble`: soft voting of finished runs, kept as a run."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command
from kerasclf.config import PRETRAINED_DEFAULTS, TrainConfig
from kerasclf.errors import UserError


@dataclass
class EnsembleOptions(command.Options):
    """Average the probabilities of finished runs, and keep the outcome as a run."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Runs of the same validation and test rows that vote."""
    weights: Literal["equal", "auto"] = "equal"
    """One weight for all, or weights of the lowest log loss on validation rows."""
    name: str | None = None
    """Name of the ensemble's run; that of the first member and -ensemble if none is given."""
    output: Path | None = None
    """Folder of all runs; that of the first member if none is given."""


def ensemble(options: EnsembleOptions) -> dict[str, Any]:
    """Weighs, measures and keeps the ensemble that the options name.

    Returns:
        The content of metrics.json, and the run's folder under "run".

    Raises:
        UserError: the runs cannot vote together; nothing was written.
    """
    import numpy as np

    from kerasclf.decision.voting import fit_weights
    from kerasclf.files import write_json
    from kerasclf.job.finished import read_predictions, read_runs
    from kerasclf.job.hold import hold
    from kerasclf.job.members import write_members
    from kerasclf.job.prepare import prepare_job, same_data

    members = read_runs(options.runs)
    first = members[0]
    for member in members:
        if member.metrics["labels"] != first.metrics["labels"]:
            raise UserError(
                f"{first.name} and {member.name} know different labels, or in another order; give "
                "runs of the same data and --label-order"
            )
    validation, test = (read_predictions(members, split) for split in ("validation", "test"))
    base = TrainConfig.from_yaml(first.layout.config)
    name = options.name or f"{base.name}-ensemble"
    config = same_data(base, name, first.layout.root, base.seed)
    job = prepare_job(
        replace(config, output=options.output or base.output, cost_matrix=base.cost_matrix)
    )
    # Nothing is trained: what the configuration says of training would be of no run.
    unused = dict.fromkeys(PRETRAINED_DEFAULTS)
    job.config = replace(job.config, encoder="ensemble", **unused)
    weights = np.full(len(members), 1 / len(members))
    if options.weights == "auto":
        rows = np.arange(len(validation.classes))
        weights = fit_weights(
            np.stack(
                [
                    np.maximum(said[rows, validation.classes], np.finfo(np.float64).tiny)
                    for said in validation.probabilities.values()
                ]
            )
        )

    with command.quiet_imports():
        from kerasclf.classifier import Classifier
        from kerasclf.evaluation.bootstrap import compare
        from kerasclf.job.run import finish, measure, open_run

    loaded = [Classifier.load(member.layout.root) for member in members]
    classifier = Classifier.vote(loaded, weights.tolist(), job.examples.labels)
    metrics, predictions = measure(job, classifier)
    best = max(members, key=lambda member: member.metrics["validation"]["macro_f1"])
    # In the order of `test`, which is by text and label.
    frame = predictions[predictions["split"] == "test"].sort_values(["text", "label"])
    decided = frame["predicted_label"].map(test.labels.index).to_numpy(dtype=np.int64)
    metrics["training"] = {
        "parameters": sum(member.metrics["training"]["parameters"] for member in members)
    }
    metrics["ensemble"] = {
        "weights": options.weights,
        "members": [
            {
                "run": member.name,
                "weight": float(weight),
                "validation_macro_f1": member.metrics["validation"]["macro_f1"],
                "test_macro_f1": member.metrics["test"]["measures"]["macro_f1"]["value"],
            }
            for member, weight in zip(members, weights, strict=True)
        ],
        "best_member": best.name,
        "macro_f1_difference": compare(
            test.classes, decided, test.decided[best.name], len(test.labels), job.config.seed
        ),
    }
    layout = open_run(job)
    with hold(layout):
        write_members(layout, [member.layout.root for member in members], weights.tolist())
        classifier.decision.save(layout.decision)
        write_json(layout.labels, list(job.examples.labels))
        predictions.to_parquet(layout.predictions, index=False)
        return finish(job, layout, metrics, predictions, [])


def show(metrics: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    from kerasclf.report.summary import print_summary

    print_summary(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(EnsembleOptions), ensemble, show, argv, "kerasclf ensemble")


if __name__ == "__main__":
    sys.exit(main())

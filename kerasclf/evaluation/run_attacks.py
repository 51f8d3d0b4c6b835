"""Attacks on a finished run: its test rows, perturbed."""

from pathlib import Path
from typing import Any

from kerasclf.config import TrainConfig
from kerasclf.console import quiet_imports
from kerasclf.files import load_table
from kerasclf.run.layout import RunLayout


def attack_run(
    run: Path | str | None, slang: dict[str, list[str]] | None = None, seed: int | None = None
) -> dict[str, Any]:
    """Measures a finished run on its test rows under every attack.

    Args:
        run: folder of the run, or of all runs of a name for the newest.
        slang: slang forms by formal word in lower case; without any there is no slang attack.
        seed: of the perturbations and of the bootstrap; None for the run's.

    Returns:
        "run", "seed", and the keys of `measure_attacks`.

    Raises:
        UserError: there is no such run.
    """
    layout = RunLayout.open(run)
    rows = load_table(layout.predictions, filters=[("split", "==", "test")])
    labels = layout.read_labels()
    if seed is None:
        seed = TrainConfig.from_yaml(layout.config).seed

    # TensorFlow takes seconds to import: only after the files of the run have been read.
    with quiet_imports():
        from kerasclf.classifier import KerasClassifier
        from kerasclf.evaluation.attacks import make_attacks, measure_attacks

    classifier = KerasClassifier.load(layout.root)
    result = measure_attacks(
        rows["text"].tolist(),
        rows["label"].map(labels.index).to_numpy(dtype="int64"),
        classifier.logits,
        classifier.decision,
        make_attacks(slang),
        seed,
    )
    return {"run": str(layout.root), "seed": seed, **result}

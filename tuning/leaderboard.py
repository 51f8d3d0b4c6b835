"""The result of a search as files: leaderboard.csv, leaderboard.html and best.yaml."""

from typing import Any, cast

import pandas as pd
from keras_tuner.engine.trial import Trial

from kerasclf.files import load_record, replacing, write_text
from kerasclf.report.rendering import make_environment
from tuning import plots
from tuning.oracles import SearchOracle, mean_final, winner
from tuning.plan import RESULT, SearchPlan
from tuning.result import BestTrial, SearchResult

FIGURES = ("val_macro_f1", "val_accuracy", "val_loss", "best_epoch", "epochs", "seconds")
COSTS = ("bytes", "p95_ms")


def read_reason(plan: SearchPlan, trial: Trial) -> str:
    """Why a trial failed; KerasTuner does not pass it from a worker to the chief."""
    path = plan.trial_folder / trial.trial_id / RESULT
    # A trial that ran on another machine has its folder there.
    result = load_record(path) if path.is_file() else {}
    return result.get("failed", "see the log of its worker")


def make_leaderboard(plan: SearchPlan, oracle: SearchOracle) -> pd.DataFrame:
    """The trials, best first.

    Returns:
        One row per trial: rank, trial, outcome, FIGURES of its best epoch, COSTS if they are
        limited, final_mean and final_scores of the finalists, and a column for each option of the
        space (and for the epochs, if Hyperband chose them).
    """
    best = winner(oracle)
    ranked = oracle.ranked()
    means = {trial.trial_id: mean_final(oracle, trial) for trial in ranked}
    # Finalists come first: their means over several seeds are more reliable.
    ranked.sort(key=lambda t: (means[t.trial_id] is None, -(means[t.trial_id] or 0)))
    failed = [trial for trial in oracle.searched() if trial.score is None]
    rows = []
    for rank, trial in enumerate([*ranked, *failed], start=1):
        figures = {name: trial.metrics.get_best_value(name) for name in _measured(plan, trial)}
        outcome = "best" if trial is best else "completed"
        if trial.score is None:
            outcome = f"failed: {read_reason(plan, trial)}"
        finals = [final.score for final in oracle.finals(trial)]
        rows.append(
            {
                "rank": rank,
                "trial": trial.trial_id,
                "outcome": outcome,
                **figures,
                "final_mean": means.get(trial.trial_id),
                "final_scores": " ".join("-" if s is None else f"{s:.4f}" for s in finals),
                # By their option names, since --epochs is not epochs: a trial may stop early.
                **{f"--{k.replace('_', '-')}": v for k, v in _values(plan, trial).items()},
            }
        )
    frame = pd.DataFrame(rows)
    # KerasTuner's figures are floats; a failed trial has none.
    counts = [name for name in ("best_epoch", "epochs", "bytes") if name in frame]
    return frame.astype(dict.fromkeys(counts, "Int64"))


def _measured(plan: SearchPlan, trial: Trial) -> tuple[str, ...]:
    names = (*FIGURES, *COSTS) if plan.limits_export else FIGURES
    return tuple(name for name in names if trial.metrics.exists(name))


def _values(plan: SearchPlan, trial: Trial) -> dict[str, Any]:
    return plan.decode(trial.hyperparameters.values)


def write_leaderboard(plan: SearchPlan, oracle: SearchOracle) -> SearchResult:
    """Writes the three files; best.yaml only if a trial has completed."""
    frame = make_leaderboard(plan, oracle)
    best = winner(oracle)
    with replacing(plan.leaderboard) as beside:
        frame.to_csv(beside, index=False)
    result: SearchResult = {
        "search": str(plan.folder),
        "trials": len(oracle.searched()),
        "completed": len(oracle.ranked()),
        "finals": sum(len(oracle.finals(trial)) for trial in oracle.ranked()),
        "leaderboard": str(plan.folder / "leaderboard.html"),
    }
    if best is not None:
        described = {
            "trial": best.trial_id,
            plan.metric: best.score,
            "final_mean": mean_final(oracle, best),
            "config": str(plan.folder / "best.yaml"),
            "values": _values(plan, best),
        }
        result["best"] = cast(BestTrial, described)
        config = plan.trial_config(best.hyperparameters.values)
        head = f"# Trial {best.trial_id} of {plan.folder}: {plan.metric} {best.score:.4f}\n"
        write_text(plan.folder / "best.yaml", head + config.to_yaml())
    _write_page(plan, oracle, frame, result)
    return result


def _write_page(
    plan: SearchPlan, oracle: SearchOracle, frame: pd.DataFrame, result: SearchResult
) -> None:
    ranked = oracle.ranked()
    values = pd.DataFrame([_values(plan, trial) for trial in ranked])
    scores = [trial.score for trial in ranked]
    svgs = {}
    if scores:
        best = ranked.index(winner(oracle))
        svgs["parallel"] = plots.plot_parallel(values, scores, plan.metric, best)
        svgs["parameters"] = plots.plot_parameters(values, scores, plan.metric)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    template = make_environment("tuning").get_template("leaderboard.html.j2")
    text = template.render(
        plan=plan, result=result, columns=list(frame.columns), rows=rows, plots=svgs
    )
    write_text(plan.folder / "leaderboard.html", text)

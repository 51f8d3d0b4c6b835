"""What is left of a search: leaderboard.csv, leaderboard.html and best.yaml."""

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from keras_tuner.engine.trial import Trial

from kerasclf.files import read_json, replacing, write_text
from tuning import plots
from tuning.oracles import SearchOracle, mean_final, winner
from tuning.plan import RESULT, Search

FIGURES = ("val_macro_f1", "val_accuracy", "val_loss", "best_epoch", "epochs", "seconds")
COSTS = ("bytes", "p95_ms")


def read_reason(search: Search, trial: Trial) -> str:
    """Why a trial failed; KerasTuner does not carry it from a worker to the chief."""
    path = search.trial_folder / trial.trial_id / RESULT
    # A trial of another machine has left its folder there.
    found = read_json(path) if path.is_file() else {}
    return found.get("failed", "see the log of its worker")


def make_leaderboard(search: Search, oracle: SearchOracle) -> pd.DataFrame:
    """The trials, best first.

    Returns:
        A row a trial: rank, trial, outcome, FIGURES of its best epoch, COSTS where they are
        limited, final_mean and final_scores of the finalists, and a column for each field of the
        space (and the epochs, where Hyperband chose them).
    """
    best = winner(oracle)
    ranked = oracle.ranked()
    means = {trial.trial_id: mean_final(oracle, trial) for trial in ranked}
    # Finalists go before the others, since they were measured better.
    ranked.sort(key=lambda t: (means[t.trial_id] is None, -(means[t.trial_id] or 0)))
    failed = [trial for trial in oracle.searched() if trial.score is None]
    rows = []
    for rank, trial in enumerate([*ranked, *failed], start=1):
        figures = {name: trial.metrics.get_best_value(name) for name in _measured(search, trial)}
        outcome = "best" if trial is best else "completed"
        if trial.score is None:
            outcome = f"failed: {read_reason(search, trial)}"
        finals = [final.score for final in oracle.finals(trial)]
        rows.append(
            {
                "rank": rank,
                "trial": trial.trial_id,
                "outcome": outcome,
                **figures,
                "final_mean": means.get(trial.trial_id),
                "final_scores": " ".join("-" if s is None else f"{s:.4f}" for s in finals),
                # The options' own names, apart from the figures' (a trial may stop early).
                **{f"--{k.replace('_', '-')}": v for k, v in _values(search, trial).items()},
            }
        )
    frame = pd.DataFrame(rows)
    # KerasTuner's figures are floats; a failed trial has none.
    counts = [name for name in ("best_epoch", "epochs", "bytes") if name in frame]
    return frame.astype(dict.fromkeys(counts, "Int64"))


def _measured(search: Search, trial: Trial) -> tuple[str, ...]:
    limited = search.max_size is not None or search.max_latency is not None
    names = (*FIGURES, *COSTS) if limited else FIGURES
    return tuple(name for name in names if trial.metrics.exists(name))


def _values(search: Search, trial: Trial) -> dict[str, Any]:
    return search.decode(trial.hyperparameters.values)


def write_leaderboard(search: Search, oracle: SearchOracle) -> dict[str, Any]:
    """Writes the three files; best.yaml only where a trial has completed.

    Returns:
        What the command says of the search.
    """
    frame = make_leaderboard(search, oracle)
    best = winner(oracle)
    with replacing(search.folder / "leaderboard.csv") as beside:
        frame.to_csv(beside, index=False)
    result: dict[str, Any] = {
        "search": str(search.folder),
        "trials": len(oracle.searched()),
        "completed": len(oracle.ranked()),
        "finals": sum(len(oracle.finals(trial)) for trial in oracle.ranked()),
        "leaderboard": str(search.folder / "leaderboard.html"),
    }
    if best is not None:
        result["best"] = {
            "trial": best.trial_id,
            search.metric: best.score,
            "final_mean": mean_final(oracle, best),
            "config": str(search.folder / "best.yaml"),
            "values": _values(search, best),
        }
        config = search.trial_config(best.hyperparameters.values)
        head = f"# Trial {best.trial_id} of {search.folder}: {search.metric} {best.score:.4f}\n"
        write_text(search.folder / "best.yaml", head + config.to_yaml())
    _write_page(search, oracle, frame, result)
    return result


def _write_page(
    search: Search, oracle: SearchOracle, frame: pd.DataFrame, result: dict[str, Any]
) -> None:
    ranked = oracle.ranked()
    values = pd.DataFrame([_values(search, trial) for trial in ranked])
    scores = [trial.score for trial in ranked]
    drawn = {}
    if scores:
        best = ranked.index(winner(oracle))
        drawn["parallel"] = plots.plot_parallel(values, scores, search.metric, best)
        drawn["parameters"] = plots.plot_parameters(values, scores, search.metric)
    folder = Path(__file__).parent / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    text = environment.get_template("leaderboard.html.j2").render(
        search=search, result=result, columns=list(frame.columns), rows=rows, plots=drawn
    )
    write_text(search.folder / "leaderboard.html", text)

"""`kerasclf search`: trials of training options on the validation rows of one job."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kerasclf import command
from kerasclf.train_options import default_options
from tuning.options import SearchOptions, make_plan


def search(options: SearchOptions) -> Mapping[str, Any]:
    """Runs, resumes or joins the search that the options describe."""
    from tuning.execute import prepare_search, run_search
    from tuning.workers.address import Address

    plan = make_plan(options)
    chief = None if options.chief is None else Address.parse(options.chief)
    return run_search(plan, prepare_search(plan), chief, options.workers)


def show(result: Mapping[str, Any]) -> None:
    """Prints the result."""
    if "joined" in result:
        print(f"the search at {result['joined']} has ended; its leaderboard is on that machine")
        return
    best = result["best"]
    values = ", ".join(f"{key} {value}" for key, value in best["values"].items())
    metric = next(key for key in best if key.startswith("val_"))
    print(f"best      trial {best['trial']}: {metric} {best[metric]:.4f} ({values})")
    if best["final_mean"] is not None:
        print(f"finals    mean {best['final_mean']:.4f} over other seeds")
    print(f"trials    {result['completed']} of {result['trials']} completed")
    print(f"train it  kerasclf train --config {best['config']}")
    print(f"search    {result['search']}  (open leaderboard.html)")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parse = command.parser(SearchOptions, partial(default_options, options_class=SearchOptions))
    return command.run(parse, search, show, argv, "kerasclf search")


if __name__ == "__main__":
    sys.exit(main())

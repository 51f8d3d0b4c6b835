"""What all commands share: parsing, exit codes, one-line errors, JSON on stdout."""

import contextlib
import io
import json
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from kerasclf.errors import UserError


@dataclass
class Options:
    """Options that every command has."""

    json: bool = False
    """Print one JSON object on stdout."""
    debug: bool = False
    """Show the traceback of an error, and library logs."""


OptionsT = TypeVar("OptionsT", bound=Options)


def say(message: str) -> None:
    """Prints a line on stderr, where everything but the result goes."""
    print(message, file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """Prints a warning line on stderr."""
    say(f"warning: {message}")


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Keeps TensorFlow's start-up lines off stderr while it is imported.

    Its C++ side prints them past Python, and before any setting can stop it. With `--debug` they
    stay.
    """
    if "--debug" in sys.argv:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def parse(
    options_class: type[OptionsT],
    argv: Sequence[str],
    prog: str,
    default: Any = None,
    rest: str | None = None,
) -> OptionsT:
    """Parses a command line into a dataclass.

    Args:
        options_class: dataclass of the command's options.
        argv: arguments without the program's name.
        prog: the command's name in `--help`.
        default: the options' default values; those of the dataclass if None.
        rest: field that takes the arguments that are not the command's own, as a tuple; without
            it they are an error.

    Raises:
        UserError: the arguments do not fit; the parser's box is folded into one line.
        SystemExit: `--help` was asked for and printed.
    """
    import tyro

    box = io.StringIO()
    keywords = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(box):
            found = tyro.cli(
                options_class,
                args=list(argv),
                prog=prog,
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes),
                return_unknown_args=rest is not None,
                **keywords,
            )
            if rest is None:
                return found
            options, others = found
            return replace(options, **{rest: tuple(others)})
    except SystemExit as stop:
        if not stop.code:
            raise
        raise UserError(f"{_unbox(box.getvalue())}; see {prog} --help") from None


def _unbox(text: str) -> str:
    """The first section of a boxed message of the parser, as one line."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in text.splitlines()]
    inner = [line.strip("│ ").strip() for line in lines if line.startswith("│")]
    rules = [i for i, line in enumerate(inner) if line and not line.strip("─")]
    first = inner[: rules[0]] if rules else inner
    hint = next((i for i, line in enumerate(inner) if line.startswith("Perhaps")), None)
    if hint is not None and hint + 1 < len(inner):
        first = [*first, "; perhaps you meant", inner[hint + 1]]
    return " ".join(first).rstrip(".") or " ".join(lines)


def parser(
    options_class: type[OptionsT],
    default: Callable[[Sequence[str]], OptionsT] | None = None,
    rest: str | None = None,
) -> Callable[[Sequence[str], str], OptionsT]:
    """A parser of a command line into a dataclass, for `run`.

    Args:
        options_class: dataclass of the command's options.
        default: makes the options' default values from the arguments (a config file).
        rest: as for `parse`.
    """
    return lambda argv, prog: parse(
        options_class, argv, prog, default(argv) if default else None, rest
    )


def run(
    parse_arguments: Callable[[Sequence[str], str], OptionsT],
    work: Callable[[OptionsT], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
    argv: Sequence[str] | None,
    prog: str,
    passed: Callable[[dict[str, Any]], bool] = lambda result: True,
) -> int:
    """Runs one command and returns its exit code.

    0 is done, 2 the user's mistake, 3 what this installation cannot do, 1 anything else.

    Args:
        parse_arguments: makes options of the arguments and the command's name; they have `json`.
        work: does the job and returns its result, a dict that JSON can hold.
        show: prints that result for people, on stdout.
        argv: arguments without the program's name; `sys.argv[1:]` if None.
        prog: the command's name in `--help`.
        passed: whether a result is what was asked for; if not, the exit code is 1.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    if not debug:
        # TensorFlow reads this when it is imported, which only `work` does.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        warnings.simplefilter("ignore")
    try:
        options = parse_arguments(argv, prog)
        result = work(options)
        if options.json:
            print(json.dumps(result, ensure_ascii=False, allow_nan=False))
        else:
            show(result)
        sys.stdout.flush()
    except UserError as error:
        return _fail(f"{prog}: {error}", error.exit_code, debug)
    except SystemExit as stop:
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _fail(f"{prog}: interrupted", 1, debug)
    except BrokenPipeError:
        # The reader of stdout has gone (`| head`): nothing is wrong, but nothing can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        hint = "" if debug else " (--debug shows where)"
        return _fail(f"{prog}: {type(error).__name__}: {error}{hint}", 1, debug)
    return 0 if passed(result) else 1


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    say(message)
    return code

"""What all commands share: parsing, exit codes, one-line errors and JSON on stdout."""

import contextlib
import errno
import io
import json
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from kerasclf.console import say, shorten, status_lines
from kerasclf.errors import UserError
from kerasclf.files import is_full_disk
from kerasclf.manifest import find_damage
from kerasclf.next_steps import describe_next


@dataclass
class Options:
    """Options of every command."""

    json: bool = False
    """Print one JSON object on stdout."""
    debug: bool = False
    """Show tracebacks of errors and the logs of libraries."""


OptionsT = TypeVar("OptionsT", bound=Options)
ResultT = TypeVar("ResultT", bound=Mapping[str, Any])


def parse(
    options_class: type[OptionsT],
    argv: Sequence[str],
    prog: str,
    default: Any = None,
    rest: str | None = None,
) -> OptionsT:
    """Parses a command line into a dataclass.

    Args:
        options_class: dataclass of the options.
        argv: arguments without the program's name.
        prog: name of the command in `--help`.
        default: default values of the options; None for those of the dataclass.
        rest: field that receives all arguments unknown to the command, as a tuple; without it they
            are an error.

    Raises:
        UserError: the arguments are wrong; the message of the parser is folded into one line.
        SystemExit: `--help` was printed.
    """
    if not {"-h", "--help"}.isdisjoint(argv):
        from kerasclf.help_page import describe_command

        print(describe_command(options_class, prog, default))
        raise SystemExit(0)
    import tyro

    box = io.StringIO()
    cli: Any = tyro.cli  # its overloads do not cover `return_unknown_args` with a variable
    keywords: dict[str, Any] = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(box):
            found = cli(
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
    """Folds the first section of a boxed message of the parser into one line."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in text.splitlines()]
    inner = [line.strip("│ ").strip() for line in lines if line.startswith("│")]
    rules = [i for i, line in enumerate(inner) if line and not line.strip("─")]
    first = inner[: rules[0]] if rules else inner
    hint = next((i for i, line in enumerate(inner) if line.startswith("Perhaps")), None)
    if hint is not None and hint + 1 < len(inner):
        first = [*first, "; perhaps you meant", inner[hint + 1].split()[0]]
    return " ".join(first).rstrip(".") or " ".join(lines)


def parser(
    options_class: type[OptionsT],
    default: Callable[[Sequence[str]], OptionsT] | None = None,
    rest: str | None = None,
) -> Callable[[Sequence[str], str], OptionsT]:
    """Creates a parser of a command line into a dataclass, for `run`.

    Args:
        options_class: dataclass of the options.
        default: computes the default values of the options from the arguments (a config file).
        rest: as in `parse`.
    """
    return lambda argv, prog: parse(
        options_class, argv, prog, default(argv) if default else None, rest
    )


def run(
    parse_arguments: Callable[[Sequence[str], str], OptionsT],
    work: Callable[[OptionsT], ResultT],
    show: Callable[[ResultT], None],
    argv: Sequence[str] | None,
    prog: str,
    passed: Callable[[ResultT], bool] = lambda result: True,
) -> int:
    """Runs one command and returns its exit code.

    0 means success, 2 a mistake of the user, 3 something that this installation cannot do, and 1
    anything else.

    Args:
        parse_arguments: parses the arguments, given the name of the command.
        work: does the work and returns a result that JSON can represent.
        show: prints the result as text on stdout.
        argv: arguments without the program's name; None for `sys.argv[1:]`.
        prog: name of the command in `--help`.
        passed: whether the result is what the user asked for; if not, the exit code is 1.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its code.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if not debug:
        # TensorFlow reads this when it is imported, which only `work` does.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        warnings.simplefilter("ignore")
    try:
        options = parse_arguments(argv, prog)
        with status_lines():
            result = work(options)
        if options.json:
            print(json.dumps(result, ensure_ascii=False, allow_nan=False))
        else:
            show(result)
        sys.stdout.flush()
        if not options.json and (line := describe_next(prog, options, result)):
            say(f"next: {line}")
    except UserError as error:
        return _fail(f"{prog}: {error}", error.exit_code, debug)
    except SystemExit as stop:
        return int(stop.code or 0)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return _fail(f"{prog}: a name is too long: {error.filename}; shorten it", 2, debug)
        if isinstance(error, BrokenPipeError):
            # The reader of stdout has closed it (`| head`): not an error worth a message.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        return _fail_unexpectedly(prog, error, debug)
    except KeyboardInterrupt:
        return _fail(f"{prog}: interrupted", 1, debug)
    except Exception as error:
        return _fail_unexpectedly(prog, error, debug)
    return 0 if passed(result) else 1


def _fail_unexpectedly(prog: str, error: Exception, debug: bool) -> int:
    if is_full_disk(error):
        filename = getattr(error, "filename", None)
        place = f" for {filename}" if filename else ""
        return _fail(f"{prog}: no space left{place}; make room", 1, debug)
    name = type(error).__name__
    if damage := find_damage():
        found = f"{damage} since the run was written ({name}: {shorten(str(error), 200)})"
        return _fail(f"{prog}: {found}; restore the run from a copy, or train it again", 2, debug)
    hint = "" if debug else " (--debug shows where)"
    return _fail(f"{prog}: {name}: {shorten(str(error))}{hint}", 1, debug)


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    # A label or a name can be of any length.
    say(shorten(message))
    return code

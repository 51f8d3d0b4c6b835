"""`kerasclf completion`: print a script with which a shell completes commands and options."""

import contextlib
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kerasclf import command

OPTION = re.compile(r"^ +(?:-h, )?(--[a-z0-9-]+)(?: \{(.*)\})?", re.MULTILINE)
"""An option on the page of a command, and the values that it may have."""

SCRIPT = """\
_kerasclf() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words=
  # Number of the word, command, word before, word.
  case "$COMP_CWORD ${{COMP_WORDS[1]}} ${{COMP_WORDS[COMP_CWORD-1]}} $current" in
    1\\ *) words="{commands}" ;;
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _kerasclf kerasclf
"""
"""Where nothing fits, the shell completes names of files."""


@dataclass
class CompletionOptions(command.Options):
    """Print a script for bash, or for zsh after bashcompinit, that completes commands, options and
    their values."""


def make_script(_: CompletionOptions) -> dict[str, Any]:
    """Makes the script from the pages of all commands."""
    from kerasclf import cli

    cases = []
    for name in cli.COMMANDS:
        page = io.StringIO()
        with contextlib.redirect_stdout(page), contextlib.suppress(SystemExit):
            cli.main([name, "--help"])
        found = dict(OPTION.findall(page.getvalue()))
        cases += [
            f'    *" {name} {option} "*) words="{values.replace(",", " ")}" ;;'
            for option, values in found.items()
            if values
        ]
        cases.append(f'    *" {name} "*" -"*) words="{" ".join([*found, "--help"])}" ;;')
    commands = " ".join([*cli.COMMANDS, "help"])
    return {"script": SCRIPT.format(commands=commands, cases="\n".join(cases))}


def show(result: dict[str, Any]) -> None:
    """Prints the script."""
    print(result["script"], end="")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(CompletionOptions), make_script, show, argv, "kerasclf completion"
    )


if __name__ == "__main__":
    sys.exit(main())

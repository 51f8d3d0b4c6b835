"""What `--help` says, against what the commands take."""

import re
import shlex
import shutil
import subprocess
from dataclasses import fields
from importlib import import_module

import pytest

from kerasclf import cli, command
from kerasclf.completion import CompletionOptions, make_script
from kerasclf.config import TrainConfig
from kerasclf.help_page import describe_command, read_docstrings
from kerasclf.train import TrainOptions
from kerasclf.usage import EXAMPLES, GROUPS, OWN, REQUIRED

EXPLAINED = sorted(set(cli.COMMANDS) - {"benchmark"})
"""Commands whose page is made of their options; `benchmark` may run without what that needs."""


def page(name, capsys):
    assert cli.main([name, "--help"]) == 0
    return capsys.readouterr().out


def test_every_training_option_is_in_one_group():
    names = [name for group in GROUPS.values() for name in group]
    assert len(set(names)) == len(names)
    assert {field.name for field in fields(TrainConfig)} <= set(names)


@pytest.mark.parametrize("name", EXPLAINED)
def test_pages_have_examples_and_say_what_is_required(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = page(name, capsys)
    assert "{None}" not in shown
    assert "(default: None)" not in shown
    options, _, examples = shown.partition("\nexamples:\n")
    assert examples.count("\n  kerasclf ") == len(EXAMPLES[name])
    assert max(map(len, options.splitlines())) <= 80
    assert options.count("(required)") == len(REQUIRED.get(name, ()))


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_examples_parse(name, monkeypatch):
    module = import_module(cli.COMMANDS[name][0])
    parsed = []
    monkeypatch.setattr(
        command,
        "run",
        lambda parse, work, show, argv, prog, *_, **__: parsed.append(parse(argv, prog)),
    )
    for _, example in EXAMPLES[name]:
        first, *arguments = shlex.split(example)
        assert first == name
        module.main(arguments)
    assert len(parsed) == len(EXAMPLES[name])


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_command_refuses_to_run_without_what_is_required(name, capsys):
    assert cli.main([name]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_docstrings_of_options_are_found():
    texts = read_docstrings(TrainOptions)
    assert texts["debug"] == "Show tracebacks of errors and the logs of libraries."
    assert {field.name for field in fields(TrainOptions)} == set(texts)


def test_a_page_by_hand(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = describe_command(TrainOptions, "kerasclf train", TrainOptions(epochs=3))
    assert shown.startswith("usage: kerasclf train [OPTIONS]\n\nTrain, calibrate")
    titles = re.findall(r"^(\w+):$", shown, re.MULTILINE)
    assert titles == [OWN, *GROUPS, "examples"]
    assert "\n  --validation-share FLOAT\n                          Share of the rows" in shown
    assert re.search(r"--sampler \{natural,sqrt,balanced\}\n", shown)
    assert "Folder of all runs" in shown
    assert "--output" not in shown


def test_runs_was_called_output():
    for flag in ("--runs", "--output"):
        assert command.parse(TrainOptions, [f"{flag}=x"], "kerasclf train").output.name == "x"


COMPLETE = """
source {script}
COMP_WORDS=({words}) COMP_CWORD={last}
_kerasclf
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("kerasclf tr", ["train"]),
        ("kerasclf train --text", ["--text-column"]),
        ("kerasclf train --sampler s", ["sqrt"]),
        ("kerasclf tflite runs/x --on", ["--on-test"]),
        ("kerasclf benchmark --thr", ["--threads"]),
        ("kerasclf train --data po", [""]),
    ],
)
def test_bash_completes(words, expected, script):
    text = COMPLETE.format(script=script, words=words, last=len(words.split()) - 1)
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == expected


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "kerasclf.bash"
    path.write_text(make_script(CompletionOptions())["script"])
    return path

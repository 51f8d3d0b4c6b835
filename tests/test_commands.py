import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import fails

import kerasclf
from kerasclf import cli, console
from kerasclf.train import main as train

ROOT = Path(__file__).resolve().parents[1]


def test_program_lists_every_command_with_a_line(capsys):
    assert cli.main(["--help"]) == 0
    printed = capsys.readouterr().out
    for name, (module, line) in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", printed, re.MULTILINE)
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "found no command"), (["trian"], "did you mean 'train'"), (["?"], "no command '?'")],
)
def test_program_rejects_other_commands(capsys, arguments, message):
    fails(capsys, cli.main(arguments), re.escape(message))


def test_version_and_help_of_a_command(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"kerasclf {kerasclf.__version__}\n"
    assert cli.main(["help", "datasets"]) == 0
    assert "usage: kerasclf datasets" in capsys.readouterr().out


HELP = """
import contextlib, importlib, io, sys
from kerasclf.cli import COMMANDS

for name, (module, _) in COMMANDS.items():
    main = importlib.import_module(module).main
    for argument, expected in (("--help", 0), ("--nonsense=1", 2)):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([argument])
        assert code == expected, (name, argument, code, err.getvalue())
        assert argument == "--help" or err.getvalue().count("\\n") == 1, (name, err.getvalue())
        for heavy in ("tensorflow", "keras"):
            assert heavy not in sys.modules, (name, argument, heavy)
print(len(COMMANDS))
"""


def test_help_and_argument_errors_do_not_import_tensorflow():
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(cli.COMMANDS)


BAD_TRAINING = {
    "missing file": (["--data={dir}/none.csv"], "there is no file"),
    "empty file": (["--data={dir}/empty.csv"], "is empty"),
    "wrong column": (
        ["--data={table}", "--text-column=tweet"],
        "no column 'tweet', only text, label",
    ),
    "wrong label column": (["--data={table}", "--label-column=y"], "no column 'y'"),
    "one class": (["--data={dir}/one.csv"], "expected at least two classes"),
    "class with 1 row": (["--data={dir}/rare.csv"], "class 'b' has 1 distinct row"),
    "empty texts": (["--data={dir}/blank.csv"], "all 4 texts are empty"),
    "binary file": (["--data={dir}/binary.csv"], "binary file"),
    "bad encoding": (["--data={dir}/damaged.csv"], "not valid utf-8.*--encoding latin-1"),
    "unknown encoding": (["--data={table}", "--encoding=utf-9"], "unknown encoding"),
    "unknown data set": (["--dataset=id-hat"], "no data set 'id-hat'"),
    "two sources": (["--data={table}", "--dataset=smsa"], "give only one"),
    "test without data": (["--test={table}"], "--test needs --data FILE"),
    "unknown preset": (
        ["--data={table}", "--encoder=bert_tiny_en_uncase"],
        "similar presets: bert_tiny_en_uncased",
    ),
    "folder without a model": (["--data={table}", "--encoder={dir}"], "no config.json"),
    "only PyTorch weights": (
        ["--data={table}", "--encoder={dir}/torch"],
        "only as pytorch_model.bin",
    ),
    "unknown model type": (["--data={table}", "--encoder={dir}/odd"], "cannot load the encoder"),
    "out of range": (["--data={table}", "--dropout=1.5"], "--dropout is 1.5; expected 0.0 to 0.95"),
    "wrong type": (["--data={table}", "--epochs=many"], "--epochs"),
    "bad target": (["--data={table}", "--target", "f1>1"], "expected a metric"),
    "bad weights": (["--data={table}", "--class-weights=heavy"], "expected none, balanced"),
    "bad costs": (["--data={table}", "--cost-matrix={dir}/none.json"], "cannot read"),
    "no run to lock": (["--data={table}", "--split={dir}/none"], "no run"),
    "nothing to resume": (["--resume={dir}/none"], "no unfinished run"),
    "resume with options": (
        ["--resume={dir}/none", "--epochs=3"],
        "no other options, found --epochs",
    ),
    "bad configuration": (["--config={dir}/bad.yaml"], "has 'epoch'; expected keys such as"),
    "bad value in it": (["--config={dir}/worse.yaml"], "epochs: .many.; expected int or null"),
    "no configuration": (["--config={dir}/none.yaml"], "cannot read --config"),
    "options of a file": (["--text-column=tweet"], "--text-column needs --data FILE"),
    "label twice": (["--data={table}", "--label-order", "id", "en", "en"], "names a label twice"),
    "unknown recipe": (["--data={table}", "--augment=swap"], "expected none, or some of keyboard"),
    "recipe twice": (["--data={table}", "--augment=ocr,ocr"], "each once"),
    "no lexicon": (["--data={table}", "--augment=lexicon"], "lexicon needs --lexicon FILE"),
    "lexicon for nothing": (
        ["--data={table}", "--lexicon={table}"],
        "--lexicon needs --augment lexicon",
    ),
    "missing lexicon": (
        ["--data={table}", "--augment=lexicon", "--lexicon={dir}/none.csv"],
        "cannot read --lexicon",
    ),
    "lexicon of three columns": (
        ["--data={table}", "--augment=lexicon", "--lexicon={dir}/three.csv"],
        "row 2 is .*expected two non-empty cells",
    ),
    "lexicon in latin-1": (
        ["--data={table}", "--augment=lexicon", "--lexicon={dir}/latin.csv"],
        "is not a CSV in utf-8.*give --lexicon-encoding",
    ),
    "table of back-translations in latin-1": (
        ["--data={table}", "--augment=back-translation", "--back-translation={dir}/latin.csv"],
        "is not a CSV in utf-8.*save it as UTF-8$",
    ),
    "ratio for nothing": (["--data={table}", "--augment-ratio=1"], "needs --augment RECIPE"),
    "balance for nothing": (["--data={table}", "--balance-classes"], "needs --augment RECIPE"),
    "name with a slash": (["--data={table}", "--name=a/b"], "plain name"),
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "one.csv").write_text("text,label\na,x\nb,x\nc,x\n")
    (folder / "rare.csv").write_text("text,label\na,a\nc,a\nd,a\nb,b\n")
    (folder / "blank.csv").write_text('text,label\n"",a\n" ",a\n"",b\n"  ",b\n')
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 8)
    (folder / "damaged.csv").write_bytes("text,label\ndéjà,a\n".encode() + b"d\xe9j\xe0,b\n")
    (folder / "latin.csv").write_bytes("text,label\ndéjà,a\n".encode("latin-1"))
    (folder / "three.csv").write_text("yg,yang\na,b,c\n")
    (folder / "bad.yaml").write_text("epoch: 3\n")
    (folder / "worse.yaml").write_text("epochs: many\n")
    for name, model_type in (("torch", "bert"), ("odd", "odd-type")):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "torch" / "pytorch_model.bin").write_bytes(b"x")
    (folder / "odd" / "model.safetensors").write_bytes(b"x")
    return {"dir": folder, "table": table}


@pytest.mark.parametrize("case", BAD_TRAINING)
def test_bad_training_input(case, bad, tmp_path, capsys):
    arguments, message = BAD_TRAINING[case]
    output = tmp_path / "runs"
    arguments = [argument.format(**bad) for argument in arguments]
    if case not in ("nothing to resume", "resume with options"):
        arguments.append(f"--output={output}")
    code = train(arguments)
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err
    assert not output.exists()


def test_unwritable_output(table, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    code = train([f"--data={table}", f"--output={tmp_path}/file/runs"])
    fails(capsys, code, "is not a folder; choose another place")


def test_wrong_hash_in_the_mirror(monkeypatch, mirror, tmp_path, capsys):
    from kerasclf.data.download import MIRROR
    from kerasclf.data.registry import DATA_SETS

    path = tmp_path / "mirror" / DATA_SETS["id-hate"].files[0].path
    path.parent.mkdir(parents=True)
    path.write_text("Tweet,HS\n")
    monkeypatch.setenv(MIRROR, str(tmp_path / "mirror"))
    code = train(["--dataset=id-hate", f"--output={tmp_path}/runs"])
    fails(capsys, code, "does not match the pinned SHA-256")
    assert not (tmp_path / "runs").exists()


def test_debug_shows_the_traceback(tmp_path, capsys):
    assert train([f"--data={tmp_path}/none.csv", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_doctor(table, capsys):
    assert cli.main(["doctor", str(table), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert findings["class_counts"] == {"de": 24, "en": 36, "id": 40}
    assert cli.main(["doctor", str(table)]) == 0
    assert "rows read" in capsys.readouterr().out


def test_datasets(capsys):
    assert cli.main(["datasets", "--json"]) == 0
    data_sets = json.loads(capsys.readouterr().out)
    assert data_sets["id-hate"]["labels"] == ["none", "weak", "moderate", "strong"]
    hashes = [file["sha256"] for entry in data_sets.values() for file in entry["files"]]
    assert [len(sha256) for sha256 in hashes] == [64] * 10


def test_evaluate_agrees_with_the_run(run, capsys):
    assert cli.main(["evaluate", str(run), "--json"]) == 0
    evaluation = json.loads(capsys.readouterr().out)
    metrics = json.loads((run / "metrics.json").read_text())
    assert evaluation["measures"] == metrics["test"]["measures"]
    assert evaluation["confusion"] == metrics["test"]["confusion"]


def test_evaluate_new_rows(run, table, tmp_path, capsys):
    assert cli.main(["evaluate", str(run), f"--data={table}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 100
    (tmp_path / "t.csv").write_text("text,label\nbonjour,fr\n")
    code = cli.main(["evaluate", str(run), f"--data={tmp_path}/t.csv"])
    fails(capsys, code, "no row to measure.*with the labels de, en, id, found 'fr'")


def test_a_closed_pipe_ends_a_command_silently():
    # The reader has gone before the command starts, so that each write to stdout fails.
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "kerasclf", "datasets"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_evaluate_warns_about_training_rows(run, table, capsys):
    assert cli.main(["evaluate", str(run), f"--data={table}"]) == 0
    assert re.search(r"the run was trained on \d+ of the 100 texts", capsys.readouterr().err)


def test_status_is_said_by_commands_alone_and_only_if_slow(capsys):
    console.say_status("from Python")
    with console.status_lines():
        with console.status_if_slow("slow", seconds=0):
            time.sleep(0.2)
        with console.status_if_slow("quick", seconds=600):
            pass
        console.say_status("in a command")
    assert capsys.readouterr().err == "slow\nin a command\n"

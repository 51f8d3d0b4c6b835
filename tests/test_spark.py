"""Labels on Apache Spark: data frames, streams, and `kerasclf batch --engine spark`."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import KEPT
from test_batch import TEXTS, write, write_bad

import kerasclf
from export import batch
from kerasclf import spark as on_spark
from kerasclf.errors import UserError
from kerasclf.run.layout import RunLayout

pyspark = pytest.importorskip("pyspark", reason="needs the extra spark")
if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
    pytest.skip("Spark needs Java", allow_module_level=True)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def light(run, tmp_path_factory):
    """A run that keeps its light file."""
    copy = tmp_path_factory.mktemp("light") / "greetings" / "1"
    shutil.copytree(run, copy)
    KEPT[0](RunLayout.open(copy))
    return copy


@pytest.fixture(scope="module")
def session():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = pyspark.sql.SparkSession.builder.master("local[2]")
    options = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2"}
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def collect(frame):
    """The rows; `toPandas` warns of pandas 3."""
    return pd.DataFrame([row.asDict() for row in frame.collect()], columns=frame.columns)


def test_a_frame_gets_the_columns_of_predict(session, light):
    texts = [*TEXTS, None, ""]
    frame = session.createDataFrame(pd.DataFrame({"a.b": range(len(texts)), "text": texts}))
    scored = collect(on_spark.score(frame.repartition(3), light, prefix="m_"))
    scored = scored.sort_values("a.b", ignore_index=True)
    expected = kerasclf.load(light).predict([text or "" for text in texts])
    assert scored.columns.tolist() == ["a.b", "text", *expected.add_prefix("m_")]
    missing = len(TEXTS)
    assert scored.loc[missing].drop(["a.b", "text"]).isna().all()
    kept = scored.drop(index=missing).reset_index(drop=True)
    expected = expected.drop(index=missing).reset_index(drop=True)
    assert kept["m_predicted_label"].tolist() == expected["predicted_label"].tolist()
    np.testing.assert_allclose(kept["m_p_id"].astype(float), expected["p_id"], atol=1e-6)
    label = on_spark.udf(session, light)
    labels = [row[0] for row in frame.select(label("text").predicted_label).collect()]
    assert pd.Series(labels).equals(scored["m_predicted_label"].rename(None))
    with pytest.raises(UserError, match="no column 'body', only"):
        on_spark.score(frame, light, "body")
    with pytest.raises(UserError, match="already has 'p_id'"):
        on_spark.score(frame.withColumnRenamed("a.b", "p_id"), light)


def test_a_stream_that_is_killed_labels_every_row_once(light, tmp_path, session):
    texts = [f"{text} {i}" for i, text in enumerate(TEXTS * 10)]
    (tmp_path / "in").mkdir()
    for place in range(0, len(texts), 46):
        write(tmp_path / "in" / f"{place:03d}.jsonl", texts[place : place + 46])
    program = f"""
import pyspark.sql, kerasclf.spark
session = pyspark.sql.SparkSession.builder.master("local[2]").getOrCreate()
rows = session.readStream.schema("id string, text string").option("maxFilesPerTrigger", 1)
rows = rows.json({str(tmp_path / "in")!r})
scored = kerasclf.spark.score(rows, {str(light)!r})
query = scored.writeStream.format("parquet").option("checkpointLocation", {str(tmp_path / "c")!r})
query.trigger(availableNow=True).start({str(tmp_path / "out")!r}).awaitTermination()
"""
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True, **quiet)
    while len(list((tmp_path / "c" / "commits").glob("[0-9]*"))) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(list((tmp_path / "c" / "commits").glob("[0-9]*"))) < 10
    subprocess.run([sys.executable, "-c", program], check=True, **quiet)
    scored = collect(session.read.parquet(str(tmp_path / "out")))
    assert sorted(scored["text"]) == sorted(texts)
    assert scored["predicted_label"].notna().all()


def score(capfd, model, pattern, output, *more):
    """The result of the command, and the two tables that it wrote."""
    arguments = [str(model), f"--input={pattern}", f"--output={output}", "--engine=spark"]
    code = batch.main([*arguments, "--json", *more])
    captured = capfd.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out), *read_outcomes(output)


def read_outcomes(output):
    return [
        pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
        if (files := sorted(output.glob(f"outcome={outcome}/*.parquet")))
        else pd.DataFrame()
        for outcome in ("labelled", "dead_letter")
    ]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_bad_rows_are_those_of_the_local_engine(light, tmp_path, suffix, capfd):
    if suffix == ".parquet":
        raw = [b"good", None, b"", b"\xff", b" ", b"selamat"] * 7
        texts = pa.array(raw, pa.binary()).view(pa.string())
        path = tmp_path / "bad.parquet"
        pq.write_table(pa.table({"n": pa.array(range(42)), "text": texts}), path)
        expected = {"empty text": 14, "no text": 7, "not UTF-8": 7}
        good = ["good", "selamat"] * 7
    else:
        path, reasons, _ = write_bad(tmp_path, suffix)
        expected = pd.Series(reasons).value_counts().to_dict()
        good = [f"good {i}" for i in range(60)]
    result, labelled, dead = score(capfd, light, path, tmp_path / "out")
    assert result["dead_letters"] == expected
    assert sorted(labelled["text"]) == sorted(good)
    assert dead["reason"].value_counts().to_dict() == expected
    assert labelled["model_version"].unique().tolist() == ["greetings/1"]
    assert set(labelled["source_file"]) == {f"file:{path}"}


def test_rows_of_csv_that_do_not_parse(light, tmp_path, capfd):
    rows = ["a;text", '1;"two\nlines"', "2", "3;;", "4;", "5;  ", '6;"say ""hi"""', "7;halo"]
    path = tmp_path / "posts.csv"
    path.write_text("\n".join([*rows, ""]))
    result, labelled, dead = score(capfd, light, path, tmp_path / "out", "--prefix=m_")
    assert result["rows_read"] == 7
    assert dict(zip(labelled["a"], labelled["text"], strict=True)) == {
        **{"1": "two\nlines", "6": 'say "hi"', "7": "halo"}
    }
    assert dict(zip(dead["a"], dead["reason"], strict=True)) == {
        **{"2": "row that does not parse", "3": "row that does not parse"},
        **{"4": "empty text", "5": "empty text"},
    }
    assert dead.set_index("a").loc["3", "source_line"] == "3;;"
    assert labelled["m_predicted_label"].notna().all()


BAD = {
    "output": (["--input={dir}/a.csv", "--output={dir}/taken"], "already exists"),
    "no file": (["--input={dir}/none.csv"], "--input .*none.csv: .*PATH_NOT_FOUND"),
    "ending": (["--input={dir}/a"], "ends in 'nothing'"),
    "column": (["--input={dir}/a.csv", "--text-column=body"], "no column 'body', only text"),
    "no rows": (["--input={dir}/head.csv"], "has no rows"),
    "workers": (["--input={dir}/a.csv", "--workers=2"], "--workers is for --engine local"),
    "added": (["--input={dir}/p.csv"], "already has 'p_id'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, light, tmp_path, capfd):
    for name, content in (("a", "text\nx\n"), ("head", "text\n"), ("p", "text,p_id\nx,1\n")):
        (tmp_path / f"{name}.csv").write_text(content)
    (tmp_path / "taken").mkdir()
    before = sorted(tmp_path.iterdir())
    arguments, message = BAD[case]
    arguments = [argument.format(dir=tmp_path) for argument in arguments]
    if not any(argument.startswith("--output") for argument in arguments):
        arguments.append(f"--output={tmp_path}/x")
    assert batch.main([str(light), "--engine=spark", *arguments]) == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("kerasclf batch: ")
    assert re.search(message, last)
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def cluster(tmp_path):
    """A standalone cluster: URL of the master, and two workers."""
    home = Path(pyspark.__file__).parent
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment |= {"PYSPARK_PYTHON": sys.executable, "SPARK_WORKER_DIR": str(tmp_path / "work")}
    started = []

    def start(name, *arguments):
        kind = f"org.apache.spark.deploy.{name}"
        command = [home / "bin" / "spark-class", kind, "--host", "127.0.0.1", *arguments]
        with (tmp_path / f"{len(started)}.log").open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))
        return started[-1]

    start("master.Master", "--port", "0", "--webui-port", "0")
    master = wait_for(r"Starting Spark master at (spark://\S+)", tmp_path / "0.log")
    ports = ("--webui-port", "0", "--cores", "1", "--memory", "1g")
    workers = [start("worker.Worker", *ports, master) for _ in range(2)]
    for number in (1, 2):
        wait_for("Successfully registered with master", tmp_path / f"{number}.log")
    yield master, workers
    for process in started:
        process.kill()
        process.wait()


def wait_for(pattern, log):
    """What the pattern finds in a log, once it does."""
    for _ in range(1200):
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[found.re.groups]
        time.sleep(0.05)
    raise AssertionError(log.read_text(errors="replace"))


def kill_with_children(parent):
    """Kills a worker, which then starts nothing again, and its executors."""
    os.kill(parent, signal.SIGKILL)
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"PPid:\t{parent}\n" in status.read_text():
                os.kill(int(status.parent.name), signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_killed_worker_of_a_cluster_loses_and_doubles_no_row(light, tmp_path, cluster):
    master, workers = cluster
    texts = [f"{TEXTS[i % 46]} {i}" for i in range(20_000)]
    (tmp_path / "in").mkdir()
    for place in range(0, len(texts), 500):
        write(tmp_path / "in" / f"{place:05d}.parquet", texts[place : place + 500])
    # One task a file, so that there are tasks after the first ones.
    options = "--conf spark.sql.files.openCostInBytes=128m pyspark-shell"
    command = [sys.executable, "-m", "export.batch", light, f"--input={tmp_path}/in/*.parquet"]
    process = subprocess.Popen(
        [*command, f"--output={tmp_path}/out", "--engine=spark", f"--master={master}", "--json"],
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_SUBMIT_ARGS": options},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Tasks that are committed.
    while len(list(tmp_path.glob(".out.*.partial/_temporary/0/task_*"))) < 3:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    kill_with_children(workers[0].pid)
    assert len(list(tmp_path.glob(".out.*.partial/_temporary/0/task_*"))) < 30
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out)["rows_written"] == len(texts)
    labelled, _ = read_outcomes(tmp_path / "out")
    assert sorted(labelled["text"]) == sorted(texts)

import pytest

from kerasclf.errors import UserError
from kerasclf.files import check_writable, replacing, write_json
from kerasclf.run.layout import RunLayout


def finish(layout):
    write_json(layout.metrics, {})
    layout.model.write_bytes(b"model")
    return layout.finish()


def test_numbers_grow_and_a_partial_run_is_none(tmp_path):
    first = finish(RunLayout.create(tmp_path, "n"))
    second = RunLayout.create(tmp_path, "n")
    assert (first.root.name, second.root.name) == ("1", "2.partial")
    assert RunLayout.open(tmp_path / "n").root == first.root
    with pytest.raises(UserError, match=r"2 is not finished; resume it with --resume .*2\.partial"):
        RunLayout.open(tmp_path / "n" / "2")
    third = RunLayout.create(tmp_path, "n")
    assert third.root.name == "3.partial"
    assert RunLayout.open(tmp_path / "n").root == first.root
    finish(third)
    assert RunLayout.open(tmp_path / "n").root.name == "3"


def test_reopen(tmp_path):
    partial = RunLayout.create(tmp_path, "n")
    with pytest.raises(UserError, match="no unfinished run"):
        RunLayout.reopen(partial.root)  # cut off before its configuration was written
    partial.config.write_text("seed: 0\n")
    assert RunLayout.reopen(partial.root).root == partial.root
    assert RunLayout.reopen(partial.whole.root).root == partial.root
    whole = finish(partial)
    with pytest.raises(UserError, match="is already finished"):
        RunLayout.reopen(whole.root)


def test_open_says_what_is_wrong(tmp_path):
    with pytest.raises(UserError, match="no run"):
        RunLayout.open(tmp_path / "none")
    with pytest.raises(UserError, match="is not a run"):
        RunLayout.open(tmp_path)


def test_replacing_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "f.json"
    write_json(path, 1)

    def fail():
        with replacing(path) as beside:
            beside.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "1\n"
    assert [p.name for p in tmp_path.iterdir()] == ["f.json"]


def test_check_writable(tmp_path):
    check_writable(tmp_path / "a" / "b" / "c.csv")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is not a folder"):
        check_writable(tmp_path / "file" / "x" / "c.csv")

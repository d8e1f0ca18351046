import pytest

from carvana.files import whole_file, write_json, write_table


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "result.txt"
    with whole_file(path) as partial:
        partial.write_text("all of it")
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError), whole_file(path) as partial:
        partial.write_text("half of")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_whose_rows_fail_is_not_written(tmp_path):
    def rows():
        yield 1, "x"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_table(tmp_path / "table.csv", ("a", "b"), rows())
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_csv_with_plain_line_ends(tmp_path):
    write_table(tmp_path / "table.csv", ("a", "b"), [(1, "x"), (2, "y,z")])
    assert (tmp_path / "table.csv").read_bytes() == b'a,b\n1,x\n2,"y,z"\n'


def test_json_is_indented_and_ends_with_a_line_end(tmp_path):
    write_json(tmp_path / "new" / "facts.json", {"a": [1], "b": "é"})
    assert (tmp_path / "new" / "facts.json").read_bytes() == b'{\n "a": [\n  1\n ],\n "b": "\\u00e9"\n}\n'


def test_a_file_is_on_disk_before_it_has_its_name_and_then_its_name_is(tmp_path, monkeypatch):
    """A power cut could leave an empty file, or the old one, where a job has ended well otherwise."""
    path, flushed = tmp_path / "result.txt", []
    monkeypatch.setattr("carvana.files.flush", lambda one: flushed.append((one.name, path.exists())))
    with whole_file(path) as partial:
        partial.write_text("all of it")
    assert flushed == [("result.txt.partial", False), (tmp_path.name, True)]

from carvana.text import clock, score, size, table


def test_clock():
    assert [clock(seconds) for seconds in (0, 42.4, 61, 3723)] == ["0:00", "0:42", "1:01", "1:02:03"]


def test_size():
    sizes = [size(count) for count in (0, 999, 1000, 3_440_000, 2e9, 5e12, 5e15)]
    assert sizes == ["0 B", "999 B", "1.0 kB", "3.4 MB", "2.0 GB", "5.0 TB", "5000.0 TB"]


def test_score():
    assert [score(0.9973321), score(1), score(None), score(None, "–")] == ["0.997332", "1.000000", "not available", "–"]


def test_table():
    assert table(("name", "dice"), [("a", "0.5"), ("longer", "")]) == "name    dice\na       0.5\nlonger"

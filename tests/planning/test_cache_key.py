from dataclasses import replace

import pytest

from carvana.data.manifest import Manifest, write_manifest
from carvana.planning.cache_key import cache_key


def test_snakemakes_cache_is_told_what_it_leaves_out(manifest, tmp_path):
    """The collisions that were measured: wildcards, inputs' order and names, threads, resources, two data folders."""
    write_manifest(manifest, tmp_path / "one.csv")
    moved = [replace(record, file="elsewhere", mask="elsewhere") for record in manifest]
    write_manifest(Manifest(tuple(moved)), tmp_path / "moved.csv")
    other = [replace(moved[0], sha256="another"), *moved[1:]]
    write_manifest(Manifest(tuple(other)), tmp_path / "other.csv")
    (tmp_path / "folds.csv").write_text("car,fold\na,0\n")

    def key(model="m", fold="0", manifest="one", weights=("x/a", "x/b"), folds=None, threads=1, gpus=0):
        files = [("manifest", str(tmp_path / f"{manifest}.csv")), ("weights", list(weights))]
        files += [("folds", str(tmp_path / folds))] if folds else []
        return cache_key([("model", model), ("fold", fold)], files, threads, gpus)

    keys = [key(), key(model="n"), key(fold="1"), key(manifest="other"), key(weights=("x/b", "x/a"))]
    keys += [key(threads=2), key(gpus=1)]
    assert len({*keys, key(folds="folds.csv")}) == len(keys) + 1
    # Where the same images lie makes no difference.
    assert key(manifest="moved") == key()
    assert key(gpus=1, threads=8) == key(gpus=1)
    with pytest.raises(FileNotFoundError):
        key(manifest="absent")


def test_pseudo_labels_count_for_snakemakes_cache_by_content(manifest, tmp_path):
    write_manifest(manifest, tmp_path / "one" / "manifest.csv")
    other = [replace(manifest.records[0], mask_sha256="another"), *manifest.records[1:]]
    write_manifest(Manifest(tuple(other)), tmp_path / "two" / "manifest.csv")
    one, two = (cache_key([], [("pseudo", str(tmp_path / name / "manifest.csv"))], 1, 0) for name in ("one", "two"))
    assert one != two

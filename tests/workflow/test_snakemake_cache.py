"""Snakemake's own cache, with the real rules: no job gets the file of another one (its collisions were measured).

Training and prediction are replaced by a program that writes down what it was asked for, and of what; so every file
tells whose it is.
"""

import json
import shutil

import pytest

from carvana.files import sha256_of
from carvana.geometry import SMALL
from tests.data.conftest import draw_kaggle_folder, write_jpeg
from tests.workflow.checkout import Checkout

pytestmark = pytest.mark.slow

# Two of one recipe, which differ by values alone, and one of another.
MODELS = ("linknet34_fma_s44", "linknet34_fma_s88", "unet_scratch")
SHARDS = ("01", "02")
STEPS = {"train": ("weights", "history", "recipe", "timings"), "validate": ("maps", "dice", "timings")}
STEPS["predict"] = ("out", "timings")

# Reads and writes through the real store, as the real programs do.
PROGRAM = """
import json, sys
from pathlib import Path
from carvana.data.manifest import content_digest, read_manifest
from carvana.files import sha256_of
from carvana.keys import digest_of
from carvana.store.store import Store

OUTPUTS = {outputs!r}

def described(path):
    if not Path(path).is_file():
        return path
    return content_digest(read_manifest(Path(path))) if "/data/" in path else sha256_of(Path(path))

given, name = {{}}, None
for argument in sys.argv[1:]:
    if argument.startswith("--"):
        name = argument.removeprefix("--")
        given[name] = []
    else:
        given[name].append(argument)
outputs = {{name: Path(given.pop(name)[0]) for name in OUTPUTS}}
store = given.pop("store")[0]
given.pop("tensorboard", None)
facts = {{name: [described(value) for value in values] for name, values in given.items()}}
facts["step"] = Path(sys.argv[0]).stem

def make(workplace):
    for name in outputs:
        (workplace.result / name).write_text(json.dumps([name, facts]))

Store(Path(store)).obtain(facts, outputs, make)
print("made by a program")
"""


class Cached(Checkout):
    """A checkout whose dear steps are done by `PROGRAM`."""

    def __init__(self, folder, data, cache):
        targets = [f"results/tiny/oof/{model}/maps.h5" for model in MODELS]
        targets += [f"results/tiny/predictions/{model}/test-{s}-of-02.h5" for model in MODELS for s in SHARDS]
        super().__init__(folder, targets=targets)
        for step, outputs in STEPS.items():
            (folder / "workflow" / "scripts" / f"{step}.py").write_text(PROGRAM.format(outputs=outputs))
        self.data, self.cache = data, cache

    def run(self, *config, gpus=0):
        source = json.dumps({"source": "folder", "folder": str(self.data)})
        environment = {"SNAKEMAKE_OUTPUT_CACHE": str(self.cache)}
        self.snakemake("--cache", config=(f"data={source}", "shards=2", *config), gpus=gpus, environment=environment)

    def told(self):
        """By file, what its program was asked for, but for the paths of inputs."""
        names = [(step, name) for step, outputs in STEPS.items() for name in outputs]
        found = {}
        for kind in ("models", "oof", "predictions"):
            for path in sorted((self.run_folder / kind).rglob("*")):
                if path.is_file():
                    name, facts = json.loads(path.read_text())
                    assert (facts["step"], name) in names
                    found[path.relative_to(self.run_folder).as_posix()] = (name, facts)
        assert len(found) == 4 * 2 * len(MODELS) + 3 * len(MODELS) + 2 * 2 * len(MODELS)
        return found

    def programs(self):
        """How many files were made by a program, not fetched."""
        logs = [path for step in STEPS for path in (self.run_folder / "logs" / step).rglob("*.log")]
        return sum("made by a program" in path.read_text() for path in logs)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    draw_kaggle_folder(folder, SMALL.image_size)
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cached")
    (folder / "cache").mkdir()
    checkout = Cached(folder / "first", data, folder / "cache")
    checkout.run()
    return checkout


def test_every_file_is_its_own_jobs(first):
    told = first.told()
    assert first.programs() == (2 + 1 + 2) * len(MODELS)
    for path, (_, facts) in told.items():
        kind, model, *rest = path.split("/")
        assert facts["model"] == [model]
        if kind == "models":
            assert facts["fold"] == [rest[0].removeprefix("fold")]
        if kind == "predictions":
            assert rest[0].startswith(f"test-0{int(facts['shard'][0]) + 1}-of-02")
        if "weights" in facts:
            # In the order of the folds.
            files = (first.run_folder / "models" / model / f"fold{fold}" / "weights.safetensors" for fold in (0, 1))
            assert facts["weights"] == [sha256_of(file) for file in files]


def test_the_same_in_another_place_is_fetched(first, tmp_path):
    other = Cached(tmp_path / "other", first.data, first.cache)
    other.run()
    assert other.programs() == 0
    assert other.told() == first.told()


@pytest.mark.parametrize(
    ("config", "gpus", "told"), [(["threads=2"], 0, {"threads": ["2"]}), ([], 1, {"gpus-granted": ["1"]})]
)
def test_other_threads_and_another_device_are_another_result(first, tmp_path, config, gpus, told):
    other = Cached(tmp_path / "other", first.data, first.cache)
    other.run(*config, gpus=gpus)
    assert all(facts.items() >= told.items() for _, facts in other.told().values())


def test_another_folder_of_data_is_another_result(first, tmp_path):
    changed = tmp_path / "data"
    shutil.copytree(first.data, changed)
    for split in ("train", "test"):
        image = min((changed / f"{split}_hq").iterdir())
        write_jpeg(image, SMALL.image_size, 12345)
    other = Cached(tmp_path / "other", changed, first.cache)
    other.run()
    before = first.told()
    assert all(facts["manifest"] != before[path][1]["manifest"] for path, (_, facts) in other.told().items())


@pytest.mark.parametrize(
    ("folder", "told"),
    [("", "--cache is given and no folder for it"), ("absent", "SNAKEMAKE_OUTPUT_CACHE=absent is no folder that")],
)
def test_a_missing_folder_is_told_before_any_job(first, folder, told):
    said = first.snakemake("--cache", "--dry-run", check=False, environment={"SNAKEMAKE_OUTPUT_CACHE": folder})
    assert told in said
    assert "Traceback" not in said and "Job stats" not in said

"""`make test-container`: the Dockerfile built on a local Debian, and `tiny` inside it against `tiny` outside."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from carvana.container.name import image_name, lock_digest
from carvana.revision import ROOT
from tests.container.engines import BASE, started
from tests.container.index import fetch, serve
from tests.faults.kills import final_files
from tests.programs import with_programs
from tests.services import install

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("CARVANA_WHOLE") != "container",
        reason="builds an image of 7 GB and runs tiny twice, up to half an hour: make test-container",
    ),
]

TINY = ["--nolock", "--cores", "2", "--quiet", "rules", "progress", "--configfile", "config/tiny.yaml"]
MODEL = "unet_scratch"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    fetch(ROOT / "envs" / "requirements.txt", folder)
    with serve(folder) as address:
        yield address
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An engine that has a Debian with Python 3.11 in place of the CUDA image, which no test machine can pull."""
    install(["debootstrap"], ["debootstrap"])
    root = tmp_path_factory.mktemp("debian")
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    listed = sources.read_text() if sources.is_file() else Path("/etc/apt/sources.list").read_text()
    mirror = re.search(r"^(?:URIs:|deb) (?:\[.*\] )?(\S+)", listed, re.MULTILINE)
    assert mirror
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(root), mirror[1]], check=True)
    with started(tmp_path_factory.mktemp("engine")) as engine:
        archive = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
        repository, tag = BASE["BASE_IMAGE"].split(":")
        engine.client.api.import_image_from_stream(archive.stdout, repository=repository, tag=tag)
        assert archive.wait() == 0
        shutil.rmtree(root)
        yield engine
        shutil.rmtree(engine.folder / "data", ignore_errors=True)


@pytest.fixture(scope="module")
def built(engine, index):
    """The engine once it has the image; and what the launcher said while it built it."""
    run = engine.launch(
        "--build-arg", f"PIP_INDEX_URL={index}", "python", "-c", "import torch; print(torch.__version__)"
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert run.stdout.startswith("2.14.1")
    return engine, run.stderr


def test_the_image_says_what_it_is(built):
    engine, _ = built
    image = engine.client.images.get(image_name(ROOT, BASE))
    print(f"image: {image.attrs['Size'] / 1e9:.2f} GB")
    config = image.attrs["Config"]
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", config["Labels"]["org.opencontainers.image.revision"])
    assert config["Labels"]["carvana.lock"] == lock_digest(ROOT)
    assert config["User"] == "carvana"


# Who runs it; what must not be there: nothing is printed; and what of the checkout is.
LOOK = """
id -un
which gcc cc c++ make
find / -xdev -name .cache 2>&-
find /var/lib/apt/lists -type f 2>&-
find /opt/carvana -name '*.zip' -o -name .git -o -name kaggle.json
ls -A /opt/carvana
"""


def test_no_compiler_no_cache_and_nothing_unasked_for_is_in_it(built):
    engine, _ = built
    name = image_name(ROOT, BASE)
    # find's exit code tells of folders that it may not enter.
    said = engine.client.containers.run(name, ["bash", "-c", LOOK], remove=True, network_mode="host").decode()
    names = "LICENSE README.md Snakefile config docker docs envs profiles pyproject.toml src workflow"
    assert said.split() == ["carvana", *names.split()]


def test_its_packages_are_the_locks(built):
    engine, _ = built
    code = "import json; from carvana.computing.environment import computed_in; print(json.dumps(computed_in()))"
    inside = json.loads(engine.launch("python", "-c", code).stdout)
    assert inside["other_than_locked"] == []
    assert inside["lock"] == lock_digest(ROOT)
    assert inside["image"] == engine.client.images.get(image_name(ROOT, BASE)).id
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", inside["revision"])


def test_it_is_built_once(built):
    engine, said = built
    assert "building carvana:" in said
    assert "building" not in engine.launch("true").stderr


def test_a_change_of_our_code_does_not_install_torch_again(built, index, tmp_path):
    engine, _ = built
    for name in ("src", "workflow", "config", "envs", "profiles", "docker", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in (".dockerignore", "Snakefile", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "src" / "carvana" / "new.py").write_text("X = 1\n")
    begun = time.monotonic()
    arguments = {**BASE, "PIP_INDEX_URL": index}
    steps = engine.client.api.build(
        path=str(tmp_path),
        dockerfile="docker/Dockerfile",
        buildargs=arguments,
        network_mode="host",
        rm=True,
        forcerm=True,
        decode=True,
    )
    said = "".join(step.get("stream", step.get("error", "")) for step in steps)
    assert "Successfully built" in said, said[-2000:]
    packages = said[said.index("pip install --no-cache-dir --require-hashes") :]
    assert "Using cache" in packages[: packages.index("Step ")], said
    assert time.monotonic() - begun < 120


def snakemake(results, *targets, config=()):
    return ["snakemake", *targets, *TINY, "--resources", "gpu=0", "--config", f"results={results}", *config]


def store(results):
    return {path.name for path in (results / "store").iterdir()}


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    results = tmp_path_factory.mktemp("outside")
    run = subprocess.run(snakemake(results), cwd=ROOT, env=with_programs(), capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return results


def test_a_training_that_is_stopped_inside_saves_and_goes_on_where_it_was(built, tmp_path):
    engine, _ = built
    target = f"{tmp_path}/tiny/models/{MODEL}/fold0/weights.safetensors"
    command = engine.command(*snakemake(tmp_path, target, config=[f"epochs={{{MODEL}: 4}}"]))
    log = tmp_path / f"tiny/logs/train/{MODEL}/fold0.log"
    with subprocess.Popen(command, cwd=ROOT, env=engine.environment()) as process:
        end = time.monotonic() + 600
        # The first epoch's end is saved; whether the stop comes before that is read back or in the second is luck.
        while not list(tmp_path.glob("store/*/state-*.json")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) != 0
    # Said when the state is on the disk, which the container waited for.
    assert "interrupted: stopped by SIGTERM" in log.read_text()
    assert engine.client.containers.list(all=True) == []
    run = subprocess.run(command, cwd=ROOT, env=engine.environment(), capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert re.search("continues from (the beginning of epoch 2|epoch 2, training batch)", log.read_text())


def test_inside_and_outside_every_file_and_every_key_is_the_same(built, outside, tmp_path):
    engine, _ = built
    run = engine.launch(*snakemake(tmp_path))
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    inside, other = final_files(tmp_path), final_files(outside)
    assert "submissions/ensemble.csv.gz" in inside
    assert inside == other
    assert store(tmp_path) == store(outside)
    timings = json.loads((tmp_path / f"tiny/models/{MODEL}/fold0/timings.json").read_text())
    assert timings["environment"]["image"].startswith("sha256:")
    timings = json.loads((outside / f"tiny/models/{MODEL}/fold0/timings.json").read_text())
    assert timings["environment"]["image"] is None

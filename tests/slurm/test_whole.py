"""`make test-slurm`: the profile on a real Slurm: the sample's graph, and a training cancelled in the midst of it."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from carvana.revision import ROOT
from tests.programs import PROGRAMS
from tests.slurm.cluster import GPUS, cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("CARVANA_WHOLE") != "slurm",
        reason="the graph of tiny and two trainings take up to half an hour, and Slurm comes with apt: make test-slurm",
    ),
]
UUIDS = [f"GPU-{index}a3c9f2e-0000-4000-8000-00000000000{index}" for index in range(GPUS)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A running cluster; what its jobs see."""
    folder = tmp_path_factory.mktemp("slurm")
    programs, leases = folder / "bin", folder / "leases"
    programs.mkdir()
    leases.mkdir()
    listing = "\n".join(f"GPU {index}: a card (UUID: {uuid})" for index, uuid in enumerate(UUIDS))
    (programs / "nvidia-smi").write_text(f"#!/bin/sh\ncat <<'END'\n{listing}\nEND\n")
    (programs / "nvidia-smi").chmod(0o755)
    path = os.pathsep.join([str(programs), str(PROGRAMS), os.environ["PATH"]])
    with cluster(folder):
        yield {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": f"{ROOT / 'tests/slurm/pretend'}{os.pathsep}{ROOT / 'src'}",
            "PRETEND_LEASES": str(leases),
            "CARVANA_GPU_LOCKS": str(folder / "locks"),
        }


@pytest.fixture
def leases(environment):
    """What the jobs of this test leased."""
    folder = Path(environment["PRETEND_LEASES"])
    for path in folder.iterdir():
        path.unlink()

    def told():
        return [json.loads(path.read_text()) for path in folder.iterdir()]

    return told


def assert_each_is_the_one_that_slurm_gave(leases):
    for lease in leases:
        assert lease["device"] == "cuda" and lease["granted"] == 1
        assert lease["leased"] == UUIDS[int(lease["given"])]


def command(results, *targets, config=("save_minutes=0.02",)):
    words = ["snakemake", *targets, "--profile", "profiles/slurm", "--nolock", "--jobs", "4"]
    words += ["--default-resources", "slurm_partition=main", "mem_mb=1000", "runtime=30"]
    words += ["slurm_extra='--signal=USR1@120'", "--latency-wait", "20", "--configfile", "config/tiny.yaml"]
    return [*words, "--config", f"results={results}", *config]


def test_a_cancelled_training_goes_on_where_it_was(environment, leases, tmp_path):
    log = tmp_path / "tiny/logs/train/unet_scratch/fold0.log"
    target = f"{tmp_path}/tiny/models/unet_scratch/fold0/weights.safetensors"
    said = (tmp_path / "said").open("wb")
    process = subprocess.Popen(command(tmp_path, target), cwd=ROOT, env=environment, stdout=said, stderr=said)
    end = time.monotonic() + 900
    while not list(tmp_path.glob("store/*/state-*")):
        assert process.poll() is None and time.monotonic() < end, (tmp_path / "said").read_text()[-4000:]
        time.sleep(0.2)
    (entry,) = (path.parent for path in list(tmp_path.glob("store/*/state-*"))[:1])
    jobs = subprocess.run(["squeue", "--noheader", "--format=%i"], capture_output=True, text=True, check=True)
    (job,) = jobs.stdout.split()
    subprocess.run(["scancel", job], check=True)
    assert process.wait(timeout=900) == 0, (tmp_path / "said").read_text()[-4000:]
    # The second job's log is in the place of the first one's.
    assert "continues from" in log.read_text()
    assert (entry / "complete.json").is_file()
    assert not list(entry.glob("state-*"))
    assert len(leases()) == 2
    assert_each_is_the_one_that_slurm_gave(leases())


def requeued_jobs():
    jobs = subprocess.run(["scontrol", "--oneliner", "show", "jobs"], capture_output=True, text=True, check=True)
    return re.findall(r"JobId=(\d+) .* JobState=PENDING .* Restarts=1 ", jobs.stdout)


def requested_cpus():
    jobs = subprocess.run(["scontrol", "--oneliner", "show", "jobs"], capture_output=True, text=True, check=True)
    return {job: int(cpus) for job, cpus in re.findall(r"JobId=(\d+) .* NumCPUs=(\d+) ", jobs.stdout)}


def test_before_its_time_is_up_a_training_saves_and_queues_itself_again(environment, leases, tmp_path):
    log = tmp_path / "tiny/logs/train/unet_scratch/fold0.log"
    target = f"{tmp_path}/tiny/models/unet_scratch/fold0/weights.safetensors"
    # Two minutes before its three are over it is told, and would not have saved by itself.
    asked = command(tmp_path, target, config=["save_minutes=600", "epochs={unet_scratch: 4}"])
    said = (tmp_path / "said").open("wb")
    words = [*asked, "--set-resources", "train:runtime=3"]
    process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=said, stderr=said)
    end = time.monotonic() + 900
    while not (requeued := requeued_jobs()):
        assert process.poll() is None and time.monotonic() < end, (tmp_path / "said").read_text()[-4000:]
        time.sleep(1)
    # Time enough for the rest, and at once: Slurm would let a job that queued itself wait for two minutes.
    subprocess.run(["scontrol", "update", f"jobid={requeued[0]}", "TimeLimit=60", "StartTime=now"], check=True)
    assert process.wait(timeout=900) == 0, (tmp_path / "said").read_text()[-4000:]
    assert "continues from" in log.read_text()
    # It is the same job: none failed, and none was submitted in its place.
    assert {lease["job"] for lease in leases()} == set(requeued)
    assert len(leases()) == 2


def test_the_samples_whole_graph(environment, leases, tmp_path):
    run = subprocess.run(command(tmp_path), cwd=ROOT, env=environment, capture_output=True, text=True)
    said = run.stdout + run.stderr
    assert run.returncode == 0, said[-4000:]
    assert (tmp_path / "tiny/submissions/ensemble.csv.gz").is_file()
    assert_each_is_the_one_that_slurm_gave(leases())
    assert {lease["leased"] for lease in leases()} == set(UUIDS)
    # 18 trainings, 9 validations, 9 predictions, each a job of its own; and of the 38 small jobs, few.
    assert len({lease["job"] for lease in leases()}) == 36
    submitted = set(re.findall(r"SLURM jobid '?(\d+)", said))
    assert 36 < len(submitted) < 60, len(submitted)
    # A group has up to ten jobs that could run at once, and asks for what the profile allows it.
    asked = requested_cpus()
    assert {asked[job] for job in submitted} == {1, 4}

"""Leases on pretend devices: a `nvidia-smi` on PATH that lists them; the locks and the processes are real."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from carvana.computing.lease import lease, lease_one_if_free, lock_folder
from carvana.computing.nvidia import Memory, devices, memory, visible
from carvana.errors import UserError
from tests.programs import SNAKEMAKE

UUIDS = [f"GPU-{index}a3c9f2e-0000-4000-8000-00000000000{index}" for index in range(4)]
LISTED = "\n".join(f"GPU {index}: a card (UUID: {uuid})" for index, uuid in enumerate(UUIDS))
MIG = "MIG-5b2e7d11-0000-5000-8000-000000000001"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A function that gives this machine GPUs, as text that `nvidia-smi -L` prints, and its exit code."""
    monkeypatch.setenv("CARVANA_GPU_LOCKS", str(tmp_path / "locks"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def prepare(listing, exit_code=0, memory=""):
        program = programs / "nvidia-smi"
        program.write_text(
            '#!/bin/sh\ncase "$1" in\n'
            f"-L) cat <<'END'\n{listing}\nEND\n;;\n"
            f"--query-gpu=uuid,memory.total,memory.free) cat <<'END'\n{memory}\nEND\n;;\n"
            f"*) exit 9 ;;\nesac\nexit {exit_code}\n"
        )
        program.chmod(0o755)

    return prepare


def memory_told(total, free):
    """What `nvidia-smi` prints of the cards' memory, in MiB."""
    return "\n".join(f"{uuid}, {of_all}, {left}" for uuid, of_all, left in zip(UUIDS, total, free, strict=True))


@pytest.fixture
def four_gpus(machine):
    machine("\n".join(f"GPU {index}: NVIDIA H100 80GB HBM3 (UUID: {uuid})" for index, uuid in enumerate(UUIDS)))


SEVERAL_TRIES = 0.3

# Tells the devices it got, fails where another job works on one of them too, and ends after `seconds`.
JOB = """
import os, sys, time
from pathlib import Path
import carvana.computing.lease as leasing
from carvana.computing.lease import lease
leasing.SECONDS_BETWEEN_TRIES = 0.05
wanted, granted, seconds, folder = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
assert lease(wanted, granted) == "cuda"
mine = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
for uuid in mine:
    (folder / uuid).touch(exist_ok=False)
print(*mine, flush=True)
time.sleep(seconds)
for uuid in mine:
    (folder / uuid).unlink()
"""


def start(wanted, seconds, folder, code=JOB):
    folder.mkdir(exist_ok=True)
    arguments = [sys.executable, "-c", code, str(wanted), str(wanted), str(seconds), str(folder)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(job):
    output, errors = job.communicate(timeout=60)
    assert job.returncode == 0, errors
    return output.split()


def test_twelve_jobs_on_four_devices_never_share_one(four_gpus, tmp_path):
    jobs = [start(wanted, 0.2, tmp_path / "busy") for wanted in (1, 1, 1, 2, 1, 1, 2, 1, 4, 1, 1, 1)]
    leased = [told(job) for job in jobs]
    assert [len(uuids) for uuids in leased] == [1, 1, 1, 2, 1, 1, 2, 1, 4, 1, 1, 1]
    assert {uuid for uuids in leased for uuid in uuids} == set(UUIDS)


def assert_waits(job):
    assert job.stderr.readline().startswith("waiting for 1 of 4 GPU(s)")
    time.sleep(SEVERAL_TRIES)
    assert job.poll() is None


def assert_told_one_of_four(waiting):
    """The kernel frees a killed process's four one after another: any may be seen first."""
    (device,) = told(waiting)
    assert device in UUIDS


def test_a_lease_lasts_as_long_as_its_process_and_ends_when_that_is_killed(four_gpus, tmp_path):
    holder = start(4, 600, tmp_path / "first")
    assert holder.stdout.readline().split() == UUIDS
    waiting = start(1, 0, tmp_path / "second")
    assert_waits(waiting)
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=60)
    assert_told_one_of_four(waiting)


def test_a_forked_child_keeps_the_lease_of_its_killed_parent(four_gpus, tmp_path):
    forking = """
import os, sys, time
from carvana.computing.lease import lease
lease(4, 4)
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(600)
"""
    parent = start(4, 0, tmp_path / "first", forking)
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=60)
    waiting = start(1, 0, tmp_path / "second")
    try:
        assert_waits(waiting)
    finally:
        os.kill(child, signal.SIGKILL)
    assert_told_one_of_four(waiting)
    parent.communicate(timeout=60)


def test_the_lease_survives_exec(four_gpus, tmp_path):
    becoming = """
import os, sys
from carvana.computing.lease import lease
lease(4, 4)
print("held", flush=True)
os.execv("/bin/sleep", ["sleep", "600"])
"""
    holder = start(4, 0, tmp_path / "first", becoming)
    assert holder.stdout.readline() == "held\n"
    waiting = start(1, 0, tmp_path / "second")
    try:
        assert_waits(waiting)
    finally:
        holder.kill()
    assert_told_one_of_four(waiting)
    holder.communicate(timeout=60)


WORKFLOW = """
rule all:
    input: expand("{{number}}.txt", number=range(6))
rule job:
    output: "{{number}}.txt"
    params: wanted=lambda wc: 1 + int(wc.number) % 2
    resources: gpu=lambda wc: 1 + int(wc.number) % 2
    shell: "{python} {program} {{params.wanted}} {{resources.gpu}} 0.3 {busy} > {{output}}"
"""


def workflow(folder, busy, gpus):
    """A real Snakemake whose jobs want one device or two."""
    folder.mkdir()
    busy.mkdir(exist_ok=True)
    (folder / "program.py").write_text(JOB)
    text = WORKFLOW.format(python=sys.executable, program=folder / "program.py", busy=busy)
    (folder / "Snakefile").write_text(text)
    command = [SNAKEMAKE, "--directory", folder, "--snakefile", folder / "Snakefile"]
    command += ["--cores", "6", "--resources", f"gpu={gpus}", "--quiet", "all"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
def test_two_workflows_at_once_never_share_a_device(four_gpus, tmp_path):
    both = [workflow(tmp_path / name, tmp_path / "busy", gpus=4) for name in ("one", "two")]
    for one in both:
        said, _ = one.communicate(timeout=300)
        assert one.returncode == 0, said
    leased = [path.read_text().split() for name in ("one", "two") for path in sorted((tmp_path / name).glob("?.txt"))]
    assert [len(uuids) for uuids in leased] == [1, 2, 1, 2, 1, 2] * 2
    # Each workflow alone may use all four.
    assert {uuid for uuids in leased for uuid in uuids} == set(UUIDS)


@pytest.mark.slow
def test_a_job_that_snakemake_gives_fewer_devices_than_it_wants_fails(four_gpus, tmp_path):
    """`--resources gpu=1` makes `gpu=2` of a job's rule into 1, without a word."""
    one = workflow(tmp_path / "one", tmp_path / "busy", gpus=1)
    said, _ = one.communicate(timeout=300)
    assert one.returncode == 1
    assert "UserError: this job needs 2 GPUs and was granted 1; allow that many with `--resources gpu=2`" in said
    assert not (tmp_path / "one" / "1.txt").exists()


def test_devices_given_by_the_caller_bound_the_choice(four_gpus, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    jobs = [start(1, 0.2, tmp_path / "busy") for _ in range(4)]
    assert {uuid for job in jobs for uuid in told(job)} == {UUIDS[3], UUIDS[1]}


def test_visible_devices_are_those_that_cuda_would_show():
    machine = [(str(index), uuid) for index, uuid in enumerate(UUIDS)] + [("", MIG)]
    assert visible(machine, None) == [*UUIDS[:3], MIG]
    assert visible(machine[:4], None) == UUIDS
    assert visible([], None) == []
    assert visible(machine, "2, 0") == [UUIDS[2], UUIDS[0]]
    assert visible(machine, UUIDS[3]) == visible(machine, "3") == visible(machine, f"{MIG},3") == [MIG]
    assert visible(machine, "GPU-2a3c,1") == [UUIDS[2], UUIDS[1]]
    assert visible(machine, MIG) == [MIG]
    assert visible(machine, "1,-1,2") == [UUIDS[1]]
    assert visible(machine, "GPU-") == []
    for nothing in ("", "NoDevFiles", "4"):
        assert visible(machine, nothing) == []


def test_the_list_of_devices_is_read_with_its_mig_instances(machine):
    machine(
        f"GPU 0: NVIDIA A100-SXM4-40GB (UUID: {UUIDS[0]})\n"
        f"  MIG 3g.20gb     Device  0: (UUID: {MIG})\n"
        f"GPU 1: NVIDIA A100-SXM4-40GB (UUID: {UUIDS[1]})"
    )
    assert devices() == [("0", UUIDS[0]), ("", MIG), ("1", UUIDS[1])]


def test_the_instances_of_a_divided_gpu_are_leased_one_by_one_and_none_of_them_for_several_gpus(machine, tmp_path):
    instances = [MIG, MIG.replace("5b2e", "6c3f")]
    listed = "\n".join(f"  MIG 3g.20gb     Device  {number}: (UUID: {uuid})" for number, uuid in enumerate(instances))
    machine(f"GPU 0: NVIDIA A100 (UUID: {UUIDS[0]})\n{listed}\nGPU 1: NVIDIA A100 (UUID: {UUIDS[1]})")
    jobs = [start(1, 0.5, tmp_path / "busy") for _ in range(6)]
    assert {uuid for job in jobs for uuid in told(job)} == {*instances, UUIDS[1]}
    with pytest.raises(UserError, match=r"needs 2 GPU\(s\) and this machine shows 1"):
        lease(2, 2)


def test_nothing_granted_or_wanted_is_the_cpu(monkeypatch):
    monkeypatch.setenv("PATH", "")
    before = dict(os.environ)
    assert lease(1, 0) == "cpu"
    assert lease(0, 1) == "cpu"
    assert dict(os.environ) == before


def test_fewer_devices_granted_than_wanted_is_an_error(four_gpus):
    with pytest.raises(UserError, match=re.escape("needs 2 GPUs and was granted 1")):
        lease(2, 1)


@pytest.fixture
def unequal_gpus(machine):
    """Two cards of 11 GiB, then two of 80."""
    machine(LISTED, memory=memory_told((11264, 11264, 81559, 81559), (11000, 10500, 80000, 80000)))


def test_cards_are_told_apart_by_their_memory(unequal_gpus):
    told = memory()
    assert list(told) == UUIDS
    assert [one.total for one in told.values()] == pytest.approx([11, 11, 79.647, 79.647], abs=1e-3)
    assert told[UUIDS[1]] == Memory(11, 10500 / 1024)


def test_cards_that_other_programs_use_come_last(machine):
    everywhere = (24576,) * 4
    machine(LISTED, memory=memory_told(everywhere, (500, 9000, 24000, 24500)))
    # Of idle ones the first, though another has a little more memory free.
    assert leased_with(0) == UUIDS[2]
    assert leased_with(22) == UUIDS[2]
    machine(LISTED, memory=memory_told(everywhere, (500, 9000, 600, 700)))
    assert leased_with(0) == UUIDS[1]
    machine(LISTED, memory=f"{UUIDS[0]}, [N/A], [N/A]\n{UUIDS[1]}, 24576, 20000")
    assert leased_with(0) == UUIDS[0]


def leased_with(gibibytes):
    code = "import os, sys; from carvana.computing.lease import lease; lease(1, 1, float(sys.argv[1]))"
    code += "; print(os.environ['CUDA_VISIBLE_DEVICES'])"
    run = subprocess.run([sys.executable, "-c", code, str(gibibytes)], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_a_job_that_needs_memory_gets_a_large_card(unequal_gpus):
    assert leased_with(22) == UUIDS[2]
    assert leased_with(0) == UUIDS[0]
    assert leased_with(11) == UUIDS[0]


def test_a_job_that_needs_more_memory_than_any_card_has_is_told(unequal_gpus):
    with pytest.raises(UserError, match=r"needs 1 GPU\(s\) of 96 GiB and .* 0 \(they have 11\.0, 11\.0,"):
        lease(1, 1, 96)
    with pytest.raises(UserError, match=r"needs 3 GPU\(s\) of 22 GiB and this machine shows 2 .*gpu=0"):
        lease(3, 3, 22)


def test_a_machine_without_gpus_names_the_cpu_switch(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(UserError, match=re.escape("shows 0; to use the CPU, run with `--resources gpu=0`")):
        lease(1, 1)


def test_devices_hidden_by_the_caller_are_told(four_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match=r"shows 0 under CUDA_VISIBLE_DEVICES=; .*gpu=0"):
        lease(1, 1)


def test_a_failing_driver_is_told_and_not_taken_for_no_gpu(machine):
    machine("Failed to initialize NVML: Driver/library version mismatch", exit_code=18)
    with pytest.raises(UserError, match="version mismatch"):
        lease(1, 1)


def test_a_failing_driver_and_nothing_to_lease_leave_the_cpu_for_who_can_do_without(machine, capsys):
    machine("Failed to initialize NVML: Driver/library version mismatch", exit_code=18)
    assert lease_one_if_free() == "cpu"
    assert "using the CPU: `nvidia-smi -L` fails" in capsys.readouterr().err


def test_no_gpu_needs_no_word(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert lease_one_if_free() == "cpu"
    assert capsys.readouterr().err == ""


IF_FREE = """
import os
from carvana.computing.lease import lease_one_if_free
print(lease_one_if_free(), os.environ.get("CUDA_VISIBLE_DEVICES", ""))
"""


def leased_if_free():
    run = subprocess.run([sys.executable, "-c", IF_FREE], capture_output=True, text=True, check=True)
    return run.stdout.split(), run.stderr


def test_a_free_gpu_is_taken_and_no_other_is_waited_for(four_gpus, tmp_path):
    holder = start(3, 600, tmp_path / "busy")
    assert holder.stdout.readline().split() == UUIDS[:3]
    assert leased_if_free() == (["cuda", UUIDS[3]], "")
    other = start(1, 600, tmp_path / "busy")
    assert other.stdout.readline().split() == UUIDS[3:]
    assert leased_if_free() == (["cpu"], "using the CPU: all of 4 GPU(s) are leased\n")
    for job in (holder, other):
        job.kill()
        job.communicate(timeout=60)


def test_a_lock_folder_that_cannot_be_made_is_told(four_gpus, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CARVANA_GPU_LOCKS", str(tmp_path / "file" / "locks"))
    with pytest.raises(UserError, match="name a usable folder in CARVANA_GPU_LOCKS"):
        lease(1, 1)


def test_locks_are_the_machines_whatever_a_jobs_folder_of_temporary_files_is(tmp_path, monkeypatch):
    monkeypatch.delenv("CARVANA_GPU_LOCKS", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert tempfile.gettempdir() == str(tmp_path)
    assert str(lock_folder()) == "/tmp/carvana-gpu"


def test_locks_can_be_taken_by_every_user(four_gpus, tmp_path):
    told(start(1, 0, tmp_path / "busy"))
    assert (tmp_path / "locks").stat().st_mode & 0o777 == 0o777
    assert (tmp_path / "locks" / f"{UUIDS[0]}.lock").stat().st_mode & 0o777 == 0o666

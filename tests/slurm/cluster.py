"""A Slurm cluster of one machine with four pretend GPUs, without accounting."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.services import install, leave_out, running

CONFIGURATION = Path("/etc/slurm")
GPUS = 4

SLURM = """
ClusterName=carvana
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/slurmd
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=1
CompleteWait=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=512
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MinJobAge=7200
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=256000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """The cluster, ready for jobs; its configuration lies where Slurm looks for it, and goes again."""
    install(["slurmctld", "slurmd", "sbatch", "munged"], ["slurmctld", "slurmd", "slurm-client", "munge"])
    if os.getuid() != 0:
        leave_out("Slurm's daemons are started as root")
    if CONFIGURATION.joinpath("slurm.conf").exists():
        leave_out("this machine has a Slurm of its own")
    made = not CONFIGURATION.exists()
    with contextlib.ExitStack() as stack:
        CONFIGURATION.mkdir(exist_ok=True)
        stack.callback(lambda: CONFIGURATION.rmdir() if made else None)
        host = socket.gethostname().split(".")[0]
        for name in ("state", "slurmd"):
            (folder / name).mkdir()
        for number in range(GPUS):
            subprocess.run(["mknod", f"{folder}/gpu{number}", "c", "1", "3"], check=True)
        files = {
            "slurm.conf": SLURM.format(host=host, folder=folder, gpus=GPUS),
            "gres.conf": f"NodeName={host} Name=gpu File={folder}/gpu[0-{GPUS - 1}]\n",
        }
        for name, text in files.items():
            (CONFIGURATION / name).write_text(text)
            stack.callback((CONFIGURATION / name).unlink)
        subprocess.run(["install", "-d", "-o", "munge", "-g", "munge", "-m", "755", "/run/munge"], check=True)
        munged = [shutil.which("runuser") or "runuser", "-u", "munge", "--", "munged", "--foreground"]
        stack.enter_context(running(munged, folder / "munged.out", lambda: _works("munge", "--no-input")))
        stack.enter_context(running(["slurmctld", "-D"], folder / "slurmctld.out", lambda: _works("scontrol", "ping")))
        stack.enter_context(running(["slurmd", "-D"], folder / "slurmd.out", _idle))
        yield
        subprocess.run(["scancel", "--me"], capture_output=True)


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def _idle() -> bool:
    answer = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True)
    return answer.stdout.strip() == "idle"

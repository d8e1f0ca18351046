"""For jobs of the cluster: the lease is a real one, on GPUs that are not there, so they compute on the CPU."""

import json
import os
import sys
from pathlib import Path

if any("workflow/scripts/" in part for part in sys.orig_argv):
    import carvana.computing.lease as leasing

    real_lease, real_class = leasing.lease, leasing.device_class

    def lease(wanted: int, granted: int, gibibytes: float = 0) -> str:
        """Take the devices, write down which, and name the CPU."""
        given = os.environ.get("CUDA_VISIBLE_DEVICES")
        leasing.device_class = real_class
        device = real_lease(wanted, granted, gibibytes)
        seen: dict[str, object] = {"job": os.environ["SLURM_JOB_ID"], "given": given, "device": device}
        seen |= {"leased": os.environ.get("CUDA_VISIBLE_DEVICES"), "granted": granted}
        Path(os.environ["PRETEND_LEASES"], f"{os.getpid()}.json").write_text(json.dumps(seen))
        return "cpu"

    def device_class(wanted: int, granted: int) -> str:
        """The check, and the CPU."""
        real_class(wanted, granted)
        return "cpu"

    leasing.lease, leasing.device_class = lease, device_class

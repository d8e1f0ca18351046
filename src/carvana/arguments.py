"""Arguments that several of the workflow's scripts have. Imports no torch."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from carvana.computing.precision import PRECISIONS
from carvana.geometry import GEOMETRIES
from carvana.recipe_files import EDITIONS, all_model_names


def add_computing_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of every script that runs a model's networks: which model, where and how."""
    parser.add_argument("--model", choices=all_model_names(), required=True)
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--precision", choices=PRECISIONS, required=True)
    parser.add_argument("--autotune", action="store_true", help="on a GPU, whatever is fastest, deterministic or not")
    parser.add_argument("--gpus-wanted", type=int, required=True)
    parser.add_argument("--gpus-granted", type=int, required=True, help="0: the CPU")
    parser.add_argument("--threads", type=int, required=True, help="CPU threads of one operation")
    parser.add_argument("--store", type=Path, required=True, help="folder of what was computed before, or begun")
    parser.add_argument("--quiet", action="store_true", help="no progress")

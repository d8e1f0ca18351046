"""The verdict on a run, printed, as JSON and as JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Final

from carvana.files import whole_file, write_json
from carvana.reading import read_json, readable
from carvana.text import table
from carvana.verification.check import Check, reproduction_holds, scores_judged

COLUMNS: Final = ("group", "what", "expected", "band", "measured", "verdict", "source of the expectation")


@dataclass(frozen=True)
class Verification:
    """What was checked of a run.

    Attributes:
        checks: the table.
        weights: SHA-256 of every network's weights, by `<model>/fold<k>`.
    """

    checks: tuple[Check, ...]
    weights: Mapping[str, str]

    @property
    def holds(self) -> bool:
        """Whether the reproduction holds."""
        return reproduction_holds(self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that fail."""
        return tuple(check for check in self.checks if check.failed)

    @property
    def scores_judged(self) -> bool:
        """Whether the run's scores were compared with anything."""
        return scores_judged(self.checks)

    @property
    def message(self) -> str:
        """The verdict in one sentence."""
        if self.failed:
            return f"the reproduction does not hold: {len(self.failed)} of {len(self.checks)} checks fail"
        if not self.holds:
            return "the reproduction is not shown to hold: no check has an expectation"
        if not self.scores_judged:
            return "nothing fails, but no score had an expectation: the table says why for each"
        return "the reproduction holds wherever there is an expectation"


def format_checks(checks: Sequence[Check]) -> str:
    """The checks as an aligned table."""
    return table(COLUMNS, [astuple(check) for check in checks])


def write_verification(verification: Verification, json_path: Path, junit_path: Path) -> None:
    """Write the verdict, the table and the weights' hashes as JSON, and the table as JUnit XML."""
    document = {
        "holds": verification.holds,
        "checks": [asdict(check) for check in verification.checks],
        "weights": dict(verification.weights),
    }
    with whole_file(junit_path) as partial:
        partial.write_bytes(ElementTree.tostring(_junit(verification), "utf-8", xml_declaration=True) + b"\n")
    write_json(json_path, document)


def read_verification(path: Path) -> Verification:
    """What `write_verification` wrote as JSON. Raises UserError when it is not there or damaged."""
    with readable(path, "run `snakemake verify` again"):
        document = read_json(path)
        return Verification(tuple(Check(**check) for check in document["checks"]), document["weights"])


def _junit(verification: Verification) -> ElementTree.Element:
    skipped = sum(check.is_open for check in verification.checks)
    numbers = {"tests": len(verification.checks), "failures": len(verification.failed), "skipped": skipped, "errors": 0}
    counts = {name: str(number) for name, number in numbers.items()}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "verify", **counts})
    for check in verification.checks:
        case = ElementTree.SubElement(suite, "testcase", {"classname": f"verify.{check.group}", "name": check.what})
        told = f"expected {check.expected} ({check.band}), measured {check.measured}; {check.source}"
        if check.failed:
            ElementTree.SubElement(case, "failure", {"message": told})
        elif check.is_open:
            ElementTree.SubElement(case, "skipped", {"message": told})
    return suites

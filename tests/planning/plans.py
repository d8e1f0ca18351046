"""Plans of configurations that differ a little from the full one."""

import yaml

from carvana.config import laid_over
from carvana.planning.plan import Plan
from carvana.revision import ROOT


def plan(**changes) -> Plan:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return Plan(laid_over(config, changes), ROOT)

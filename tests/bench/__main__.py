"""`make bench`: what is measured by default. Further measurements are modules beside this one."""

from __future__ import annotations

from tests.bench import simulator

if __name__ == "__main__":
    simulator.main()

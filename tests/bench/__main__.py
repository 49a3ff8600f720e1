"""`make bench`: environments as users make them first, then the kernel and its interfaces.

Further measurements are modules beside this one.
"""

from __future__ import annotations

from tests.bench import environments, simulator

if __name__ == "__main__":
    environments.main([])
    simulator.main()

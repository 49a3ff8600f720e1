"""The search for a workflow's sites: one seed one result, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.errors import SettingError
from panda_gym.training import fit_workflow_sites

pytest.importorskip("cmaes")
SETTINGS = {"workflow": "random:layered", "platform": "tiny4"}
SMALL = {"generations": 2, "population": 4, "episodes": 2}


def test_one_seed_gives_one_policy():
    first, same, other = (
        fit_workflow_sites(SETTINGS, seed=seed, **SMALL).weights for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert first.shape == (1, 12)
    assert (first != other).any()


def test_one_site_leaves_nothing_to_choose():
    with pytest.raises(SettingError, match="several sites"):
        fit_workflow_sites({"workflow": "ddmd"}, **SMALL)

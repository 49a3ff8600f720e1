"""Static rules on the published examples: the makespans that the papers state."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.workflows.static_scheduling import RULES, SchedulingProblem, cpop, heft, peft
from panda_gym.workflows.static_scheduling.heft import by_rank, upward_rank
from panda_gym.workflows.static_scheduling.peft import optimistic_cost

TOPCUOGLU = SchedulingProblem.from_matrices(
    [
        (14, 16, 9), (13, 19, 18), (11, 13, 19), (13, 8, 17), (12, 13, 10),
        (13, 16, 9), (7, 15, 11), (5, 11, 14), (18, 12, 20), (21, 7, 16),
    ],
    [
        (0, 1, 18), (0, 2, 12), (0, 3, 9), (0, 4, 11), (0, 5, 14), (1, 7, 19), (1, 8, 16),
        (2, 6, 23), (3, 7, 27), (3, 8, 23), (4, 8, 13), (5, 7, 15), (6, 9, 17), (7, 9, 11),
        (8, 9, 13),
    ],
)  # fmt: skip
"""Ten tasks on three processors (Topcuoglu, Hariri and Wu 2002, figure 2)."""

ARABNEJAD = SchedulingProblem.from_matrices(
    [
        (22, 21, 36), (22, 18, 18), (32, 27, 43), (7, 10, 4), (29, 27, 35),
        (26, 17, 24), (14, 25, 30), (29, 23, 36), (15, 21, 8), (13, 16, 33),
    ],
    [
        (0, 1, 17), (0, 2, 31), (0, 3, 29), (0, 4, 13), (0, 5, 7), (1, 7, 3), (1, 8, 30),
        (2, 6, 16), (3, 7, 11), (3, 8, 7), (4, 8, 57), (5, 7, 5), (6, 9, 9), (7, 9, 42),
        (8, 9, 7),
    ],
)  # fmt: skip
"""Ten tasks on three processors (Arabnejad and Barbosa 2014)."""


def test_heft_takes_80_on_the_ten_tasks_of_its_paper():
    rank = upward_rank(TOPCUOGLU)
    expected = [108.0, 77.0, 80.0, 80.0, 69.0, 63.333, 42.667, 35.667, 44.333, 14.667]
    np.testing.assert_allclose(rank, expected, atol=5e-4)
    assert by_rank(TOPCUOGLU, rank) == [0, 2, 3, 1, 4, 5, 8, 6, 7, 9]
    found = heft(TOPCUOGLU)
    assert found.makespan_s == 80.0
    assert (found.processor + 1).tolist() == [3, 1, 3, 2, 3, 2, 3, 1, 2, 2]
    assert found.start.tolist() == [0, 27, 9, 18, 28, 26, 38, 57, 56, 73]


def test_cpop_takes_86_on_the_same_tasks():
    assert cpop(TOPCUOGLU).makespan_s == 86.0


def test_peft_takes_122_where_heft_takes_133():
    table = optimistic_cost(ARABNEJAD)
    assert table[0].tolist() == [64.0, 68.0, 86.0]
    assert table[9].tolist() == [0.0, 0.0, 0.0]
    assert peft(ARABNEJAD).makespan_s == 122.0
    assert heft(ARABNEJAD).makespan_s == 133.0


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_data_of_the_examples_matter(rule):
    """Without transfers no rule takes longer than the sum of the least run times."""
    free = SchedulingProblem.from_matrices(
        TOPCUOGLU.cost.tolist(), [(int(p), int(c), 0.0) for p, c in TOPCUOGLU.edges]
    )
    assert RULES[rule](free).makespan_s < RULES[rule](TOPCUOGLU).makespan_s

"""Whatever stands in a file, it is read or refused by one clear error."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.errors import InputError
from panda_gym.workflows import Pool, simulate
from panda_gym.workflows.formats import read_workflow
from tests.panda_gym.workflows.formats.test_wfformat import document, flat

SETS = {
    "format": "panda-grid-workflow",
    "version": 1,
    "name": "w",
    "sets": [
        {
            "id": "a",
            "tasks": 2,
            "cores": 1,
            "mean_s": 3.0,
            "kind": "k",
            "distribution": "normal",
            "sd_s": 1,
        },
        {"id": "b", "threads": 1, "gpus": 0, "memory_gb": 1.5},
    ],
    "edges": [{"parent": "a", "child": "b", "relation": "each", "bytes": 5.0}],
    "stage": {"a": 0, "b": 1},
    "pipeline": {"a": 0, "b": 0},
}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.sampled_from(["a", "a_1", [], {}, [[]], ["a_1"], 0, -1, 1e300]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document below its root."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, below in inside:
        found.append((*path, key))
        if isinstance(below, dict | list):
            found += places(below, (*path, key))
    return found


@settings(max_examples=100, deadline=None)
@given(data=st.data(), original=st.sampled_from([SETS, document(), flat()]), value=VALUES)
def test_a_spoilt_document_is_read_or_refused(tmp_path_factory, data, original, value):
    made = copy.deepcopy(original)
    *above, last = data.draw(st.sampled_from(places(original)))
    target = made
    for key in above:
        target = target[key]
    target[last] = value
    path = tmp_path_factory.getbasetemp() / "spoilt.json"
    path.write_text(json.dumps(made))
    with contextlib.suppress(InputError):
        flow = read_workflow(path)
        simulate(flow, Pool("p", nodes=2, threads=4, gpus=2, memory_gb=8), "sequential")

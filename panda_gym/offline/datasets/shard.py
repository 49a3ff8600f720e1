"""Write and read one Parquet file of episodes.

One row for each decision, and one more row with the observation after the last: `step` runs from
0 to T, and in row T action, reward, costs and probability are null.

    episode  int64                  seed of the episode
    behaviour  dictionary<string>   label of the policy that acted
    step  int32
    observation  float32[D]         see `panda_gym.environments.placement.observation`
    action_mask  bool[S]
    action  int32    reward  float64    cost.NAME  float64    probability  float64
    judged  bool    difference_reward  float64    absent in files of 0.1: all judged, none computed
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from panda_gym.errors import RecordsError
from panda_gym.offline.datasets.episode import Episode

Array = np.ndarray
COST: Final = "cost."
CREDIT: Final = "difference_reward"
OBSERVATION: Final = "observation.list.element"


def encoded(episodes: Sequence[Episode]) -> bytes:
    """Return the Parquet file of some episodes; the same episodes give the same bytes."""
    tables = [_table(episode) for episode in episodes]
    file = pa.BufferOutputStream()
    with pq.ParquetWriter(
        file,
        tables[0].schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=False,
        column_encoding={OBSERVATION: "BYTE_STREAM_SPLIT"},
        write_statistics=False,
    ) as writer:
        for table in tables:
            writer.write_table(table)
    return file.getvalue().to_pybytes()


def read_shard(path: Path) -> Iterator[Episode]:
    """Yield the episodes of a shard, one row group each; RecordsError if it is damaged."""
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield _episode(file.read_row_group(group))
    except (OSError, pa.ArrowException, KeyError, ValueError) as fault:
        raise RecordsError(
            "a shard of a data set", f"{path}: {fault}", "collect the data set again"
        ) from fault


def _table(episode: Episode) -> pa.Table:
    steps = len(episode) + 1
    columns: dict[str, Any] = {
        "episode": pa.array(np.full(steps, episode.seed, dtype=np.int64)),
        "behaviour": pa.array([episode.behaviour] * steps),
        "step": pa.array(np.arange(steps, dtype=np.int32)),
        "observation": _rows(episode.observations),
        "action_mask": _rows(episode.masks),
        "action": _with_null(episode.actions),
        "reward": _with_null(episode.rewards),
        **{COST + name: _with_null(cost) for name, cost in episode.costs.items()},
        "probability": _with_null(episode.probabilities),
        "judged": _with_null(episode.judged),
        CREDIT: _with_null(episode.difference_rewards),
    }
    return pa.table(columns)


def _episode(table: pa.Table) -> Episode:
    costs = [name for name in table.column_names if name.startswith(COST)]
    actions = _without_null(table["action"])
    absent = {"judged": np.ones(len(actions), bool), CREDIT: np.full(len(actions), np.nan)}
    found = {n: _without_null(table[n]) for n in absent if n in table.column_names}
    return Episode(
        seed=table["episode"][0].as_py(),
        behaviour=table["behaviour"][0].as_py(),
        observations=_matrix(table["observation"]),
        masks=_matrix(table["action_mask"]),
        actions=actions,
        rewards=_without_null(table["reward"]),
        costs={name.removeprefix(COST): _without_null(table[name]) for name in costs},
        probabilities=_without_null(table["probability"]),
        judged=found.get("judged", absent["judged"]),
        difference_rewards=found.get(CREDIT, absent[CREDIT]),
    )


def _rows(matrix: Array) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])


def _matrix(column: pa.ChunkedArray) -> Array:
    lists = column.combine_chunks()
    values = lists.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(lists), -1)


def _with_null(values: Array) -> pa.Array:
    return pa.concat_arrays([pa.array(values), pa.nulls(1, pa.from_numpy_dtype(values.dtype))])


def _without_null(column: pa.ChunkedArray) -> Array:
    return column.slice(0, len(column) - 1).combine_chunks().to_numpy(zero_copy_only=False)

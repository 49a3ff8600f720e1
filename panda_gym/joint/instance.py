"""Define an instance of joint data placement and job allocation, and check it.

Every dataset lies in one remote store (tape). It is copied to one local store (disk), from which
the nodes read it. Every job runs on one node, and a node runs one job at a time. The problem is
that of arXiv 2502.00261; quotas of local stores are added here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from panda_gym.errors import InstanceError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Instance:
    """An instance with D datasets, J jobs, C nodes, R remote stores and L local stores.

    Sizes, bandwidths and speeds are in any consistent units; times are in seconds. InstanceError
    if a field has a wrong shape or value, a job reads nothing, or the quotas cannot hold the data.
    """

    name: str
    """Name of the instance."""
    work_per_size: float
    """Work of a job for each unit of its input; `gamma` in the paper."""
    size: Array
    """Size of each dataset, float64[D], above 0."""
    source: Array
    """Remote store of each dataset, int64[D]."""
    first: Array
    """Where the inputs of each job begin in `inputs`, int64[J + 1]."""
    inputs: Array
    """Datasets that jobs read, job after job, int64[first[J]]."""
    speed: Array
    """Work per second of each node, float64[C], above 0."""
    remote_bandwidth: Array
    """Size per second from remote to local stores, float64[R, L], above 0."""
    local_bandwidth: Array
    """Size per second from local stores to nodes, float64[L, C], above 0."""
    quota: Array = field(default_factory=lambda: np.zeros(0))
    """Size that each local store holds, float64[L]; empty: without limit."""

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.name not in ("name", "work_per_size"):
                kind = np.int64 if one.name in ("source", "first", "inputs") else np.float64
                array = np.ascontiguousarray(getattr(self, one.name), kind)
                array.setflags(write=False)
                object.__setattr__(self, one.name, array)
        if not len(self.quota):
            object.__setattr__(self, "quota", np.full(self.local_stores, np.inf))
        _check_numbers(self)
        _check_shapes(self)
        _check_inputs(self)
        _check_quotas(self)

    @property
    def datasets(self) -> int:
        """Number of datasets."""
        return len(self.size)

    @property
    def jobs(self) -> int:
        """Number of jobs."""
        return len(self.first) - 1

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.speed)

    @property
    def local_stores(self) -> int:
        """Number of local stores."""
        return len(self.local_bandwidth)

    @property
    def has_quotas(self) -> bool:
        """Whether any local store has a quota."""
        return bool(np.isfinite(self.quota).any())

    def inputs_of(self, job: int) -> Array:
        """Return the datasets that a job reads, int64[...]."""
        return self.inputs[self.first[job] : self.first[job + 1]]

    def work(self) -> Array:
        """Return the work of each job, float64[J]: `work_per_size` times the size of its input."""
        return self.work_per_size * np.add.reduceat(self.size[self.inputs], self.first[:-1])


def _check_numbers(instance: Instance) -> None:
    """Raise InstanceError for sizes, speeds and bandwidths that are not finite and above 0."""
    for name in ("size", "speed", "remote_bandwidth", "local_bandwidth"):
        values = getattr(instance, name)
        wrong = np.flatnonzero(~(np.isfinite(values.ravel()) & (values.ravel() > 0.0)))
        if len(wrong):
            at = ", ".join(str(k) for k in np.unravel_index(int(wrong[0]), values.shape))
            came = f"{name}[{at}] = {values.ravel()[wrong[0]]:g}"
            do = "correct it, or take out what is cut off"
            raise InstanceError(f"every {name} finite and above 0", came, do)
    if not 0.0 <= instance.work_per_size < np.inf:
        came = f"{instance.work_per_size!r}"
        raise InstanceError("work_per_size finite and at least 0", came, "correct it")
    if np.isnan(instance.quota).any() or (instance.quota < 0.0).any():
        came = f"{instance.quota.min():g}"
        raise InstanceError("every quota at least 0", came, "correct it, or leave it out")


def _check_shapes(instance: Instance) -> None:
    """Raise InstanceError for empty arrays and for shapes that do not agree."""
    remote, stores = instance.remote_bandwidth, instance.local_stores
    wanted = {
        "size": (instance.datasets,),
        "source": (instance.datasets,),
        "remote_bandwidth": (len(remote), stores),
        "local_bandwidth": (stores, instance.nodes),
        "quota": (stores,),
    }
    for name, shape in wanted.items():
        if getattr(instance, name).shape != shape:
            came = f"shape {getattr(instance, name).shape}"
            raise InstanceError(f"{name} of shape {shape}", came, "make the parts agree")
    for name, count in (
        ("a dataset", instance.datasets),
        ("a job", instance.jobs),
        ("a node", instance.nodes),
        ("a local store", stores),
        ("a remote store", len(remote)),
    ):
        if count < 1:
            raise InstanceError(f"at least {name}", "none", "add one")


def _check_inputs(instance: Instance) -> None:
    """Raise InstanceError for datasets without a source and for wrong inputs of jobs."""
    _check_range("the source of every dataset", instance.source, len(instance.remote_bandwidth))
    _check_range("every input of a job", instance.inputs, instance.datasets)
    counts = np.diff(instance.first)
    if instance.first[0] != 0 or instance.first[-1] != len(instance.inputs):
        raise InstanceError("first from 0 to len(inputs)", f"{instance.first}", "correct it")
    if (counts < 1).any():
        came = f"job {int(np.flatnonzero(counts < 1)[0])} without any"
        raise InstanceError("an input for every job", came, "add one, or take out the job")
    for job in range(instance.jobs):
        read = instance.inputs_of(job)
        if len(set(read.tolist())) < len(read):
            raise InstanceError("each input of a job once", f"job {job} twice", "take one out")


def _check_range(what: str, values: Array, end: int) -> None:
    wrong = np.flatnonzero((values < 0) | (values >= end))
    if len(wrong):
        came = f"{values[wrong[0]]} at {wrong[0]}"
        raise InstanceError(f"{what} from 0 to {end - 1}", came, "correct it")


def _check_quotas(instance: Instance) -> None:
    """Raise InstanceError for quotas that certainly cannot hold the datasets."""
    largest, total = instance.size.max(), instance.size.sum()
    if largest > instance.quota.max():
        came = f"a dataset of {largest:g} and quotas up to {instance.quota.max():g}"
        raise InstanceError("a quota for the largest dataset", came, "raise a quota")
    if total > instance.quota.sum():
        came = f"datasets of {total:g} and quotas of {instance.quota.sum():g} together"
        raise InstanceError("quotas that hold all datasets", came, "raise quotas")

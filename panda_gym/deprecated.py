"""Old names: every name of 0.1 that moved or changed still works and warns until it is removed.

Three kinds of old name are kept, each by one table or one function:

- modules: `MOVED` maps an old module path to the new one; importing the old path returns the new
  module and warns. Submodules follow their package.
- public names inside a module: `NAMES` maps "module:old" to "module:new"; a module that has such a
  line sets `__getattr__ = old_names(__name__)`.
- functions, verbs and keywords: `renamed`, `renamed_keywords` and `old_keywords`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final, TypeVar, cast

Called = TypeVar("Called", bound=Callable[..., Any])

REMOVED_IN: Final = "0.3"
"""Release in which the old names go."""

ALIASES: Final = {"panda_gym.policies": "panda_gym.environments.placement.policies"}
"""Short public paths that stay: they do not warn."""

MOVED: Final[Mapping[str, str]] = {
    "generators.adversaries": "generators.networks.gan",
    "generators.codecs": "generators.encoding.codecs",
    "generators.diffusion": "generators.networks.diffusion",
    "generators.distributed": "generators.training.distributed",
    "generators.given": "generators.conditions",
    "generators.grouped.course": "generators.grouped.draw_order",
    "generators.grouped.levels": "generators.grouped.two_level_model",
    "generators.grouped.members": "generators.grouped.group_identity",
    "generators.grouped.pattern": "generators.grouped.within_group_times",
    "generators.known": "generators.networks.condition_tensors",
    "generators.losses": "generators.training.row_losses",
    "generators.mixture": "generators.encoding.mixture",
    "generators.neural": "generators.training.neural",
    "generators.privacy": "generators.training.differential_privacy",
    "generators.progress": "generators.training.progress",
    "generators.quantiles": "generators.encoding.quantiles",
    "generators.schema": "generators.encoding.schema",
    "generators.weights": "generators.networks.weights",
    "metrics.association": "metrics.fidelity.association",
    "metrics.attacks": "metrics.privacy.attack_rates",
    "metrics.blocks": "metrics.tables.blocks",
    "metrics.contrast": "metrics.statistics.contrast",
    "metrics.coverage": "metrics.fidelity.coverage",
    "metrics.detection": "metrics.fidelity.detection",
    "metrics.drawer": "metrics.array_cache",
    "metrics.equivalence": "metrics.statistics.equivalence",
    "metrics.figures": "metrics.report.svg",
    "metrics.gower": "metrics.tables.gower",
    "metrics.group_membership": "metrics.privacy.group_membership",
    "metrics.inference": "metrics.privacy.inference",
    "metrics.judge": "metrics.certificate.evaluation",
    "metrics.k_anonymity": "metrics.privacy.k_anonymity",
    "metrics.linkability": "metrics.privacy.linkability",
    "metrics.meaning": "metrics.report.explanations",
    "metrics.means": "metrics.statistics.means",
    "metrics.membership": "metrics.privacy.membership",
    "metrics.nearest": "metrics.privacy.nearest",
    "metrics.nndr": "metrics.privacy.nndr",
    "metrics.paper_compat": "metrics.fidelity.paper_compat",
    "metrics.plots": "metrics.report.plots",
    "metrics.policy": "metrics.certificate.policy",
    "metrics.profile": "metrics.certificate.profile",
    "metrics.ranking": "metrics.efficacy.ranking",
    "metrics.rerun": "metrics.certificate.rerun",
    "metrics.resampling": "metrics.statistics.resampling",
    "metrics.scales": "metrics.tables.scales",
    "metrics.selftest": "metrics.certificate.selftest",
    "metrics.sheets": "metrics.report.export",
    "metrics.shelf": "metrics.certificate.score_cache",
    "metrics.signature": "metrics.certificate.signature",
    "metrics.singling_out": "metrics.privacy.singling_out",
    "metrics.statement": "metrics.privacy.statement",
    "metrics.strata": "metrics.fidelity.strata",
    "metrics.white_box": "metrics.privacy.white_box",
    "panda_gym.batch": "panda_gym.environments.placement.batch",
    "panda_gym.benchmarking.contestants": "panda_gym.benchmarking.policy_resolution",
    "panda_gym.benchmarking.protocol": "panda_gym.benchmarking.standard_suite",
    "panda_gym.benchmarking.standing": "panda_gym.benchmarking.statistical_comparison",
    "panda_gym.cli.table1": "panda_gym.cli.compare",
    "panda_gym.cli.watch": "panda_gym.cli.monitor",
    "panda_gym.cost": "panda_gym.environments.placement.cost",
    "panda_gym.crew": "panda_gym.environments.base.thread_pool",
    "panda_gym.datasets": "panda_gym.offline.datasets",
    "panda_gym.demo": "panda_gym.experiments.demo",
    "panda_gym.draft": "panda_gym.surrogate.fit_record",
    "panda_gym.env": "panda_gym.environments.placement.env",
    "panda_gym.infos": "panda_gym.environments.base.lazy_info",
    "panda_gym.jobs.underway": "panda_gym.jobs.residual_jobs",
    "panda_gym.observation": "panda_gym.environments.placement.observation",
    "panda_gym.off_policy": "panda_gym.offline.off_policy",
    "panda_gym.oracles.room": "panda_gym.oracles.context",
    "panda_gym.oracles.sketch": "panda_gym.oracles.forecast",
    "panda_gym.picture": "panda_gym.environments.placement.rendering",
    "panda_gym.pipeline_env": "panda_gym.environments.pipeline",
    "panda_gym.pipeline_env.environment": "panda_gym.environments.pipeline.env",
    "panda_gym.pipeline_env.vector_environment": "panda_gym.environments.pipeline.vector_env",
    "panda_gym.environments.placement.policies.turn": (
        "panda_gym.environments.placement.policies.pending"
    ),
    "panda_gym.pipelines.laws": "panda_gym.distributions",
    "panda_gym.pipelines.plan": "panda_gym.pipelines.kernel_arrays",
    "panda_gym.replay": "panda_gym.visualization.replay",
    "panda_gym.report": "panda_gym.visualization.report",
    "panda_gym.reward": "panda_gym.environments.placement.reward",
    "panda_gym.scenario": "panda_gym.environments.placement.scenario",
    "panda_gym.scenarios": "panda_gym.environments.placement.named_scenarios",
    "panda_gym.simulator.ahead": "panda_gym.simulator.prefetch",
    "panda_gym.simulator.arrays": "panda_gym.jit.linked.arrays",
    "panda_gym.simulator.compiled": "panda_gym.jit.compiled",
    "panda_gym.simulator.draws": "panda_gym.jit.counter_rng",
    "panda_gym.simulator.handle": "panda_gym.simulator.address_table",
    "panda_gym.simulator.heap": "panda_gym.jit.heap",
    "panda_gym.simulator.memory": "panda_gym.jit.layout",
    "panda_gym.simulator.nearness": "panda_gym.simulator.replica_index",
    "panda_gym.simulator.parts": "panda_gym.jit.linked.libraries",
    "panda_gym.synthesis": "panda_gym.surrogate.build",
    "panda_gym.table1": "panda_gym.experiments.generator_comparison",
    "panda_gym.table1.judging": "panda_gym.experiments.generator_comparison.evaluation",
    "panda_gym.training.hindsight": "panda_gym.training.difference_reward",
    "panda_gym.training.marginal": "panda_gym.credit.external_cost",
    "panda_gym.training.worlds": "panda_gym.training.parallel_episodes",
    "panda_gym.vector_env": "panda_gym.environments.placement.vector_env",
    "panda_gym.watching": "panda_gym.experiments.monitoring",
    "panda_gym.workers": "panda_gym.executors",
    "panda_gym.workflow_env": "panda_gym.environments.workflow",
    "panda_gym.workflow_env.environment": "panda_gym.environments.workflow.env",
    "panda_gym.workflow_env.vector_environment": "panda_gym.environments.workflow.vector_env",
    "panda_gym.workflows.listing": "panda_gym.workflows.list_scheduling",
    "panda_gym.workflows.plan": "panda_gym.workflows.kernel_arrays",
    "panda_gym.workload": "panda_gym.surrogate.workload_model",
    "panda_gym.wrappers": "panda_gym.environments.placement.wrappers",
}
"""Old module path to new module path."""

_PLACEMENT: Final = "panda_gym.environments.placement"

NAMES: Final[Mapping[str, str]] = {
    "panda_gym.distributions:Law": "panda_gym.distributions.base:Distribution",
    "panda_gym.distributions:Renewal": "panda_gym.distributions.arrivals:Renewal",
    "panda_gym.distributions:Trace": "panda_gym.distributions.arrivals:Trace",
    "panda_gym.distributions:best": "panda_gym.distributions.parametric:best_fit",
    "panda_gym.distributions:ks": "panda_gym.distributions.parametric:ks_distance",
    "panda_gym.distributions:load_law": "panda_gym.distributions.saved:load_distribution",
    "panda_gym.distributions:save_law": "panda_gym.distributions.saved:save_distribution",
    "panda_gym.benchmarking.render:Sheet": "panda_gym.benchmarking.render:TextTable",
    "panda_gym.benchmarking.standard_suite:KEPT": "panda_gym.benchmarking.standard_suite:STANDARD",
    "panda_gym.offline.datasets:Trial": "panda_gym.offline.datasets.trial:Trial",
    "panda_gym.offline.off_policy:Logged": (
        "panda_gym.offline.off_policy.estimators:LoggedEpisodes"
    ),
    "panda_gym.sb3:PlacementVecEnv": "panda_gym.environments.placement.sb3:PlacementVecEnv",
    "panda_gym.sb3:sb3_vec_env": "panda_gym.environments.sb3:sb3_vec_env",
    "panda_gym.training.config:HindsightConfig": "panda_gym.training.config:DifferenceRewardConfig",
    "panda_gym.training.difference_reward:Hindsight": (
        "panda_gym.training.difference_reward:DifferenceRewardTraining"
    ),
    "panda_gym.training.difference_reward:train_hindsight": (
        "panda_gym.training.difference_reward:train_difference_reward"
    ),
    "panda_gym.training.parallel_episodes:Worlds": (
        "panda_gym.training.parallel_episodes:ParallelEpisodes"
    ),
    "panda_gym.errors:LawError": "panda_gym.errors:DistributionError",
    "panda_gym.jit.compiled:entries": "panda_gym.jit.compiled:entry_decorator",
    "panda_gym.jit.compiled:inner": "panda_gym.jit.compiled:inline",
    "panda_gym.jit.compiled:shared": "panda_gym.jit.compiled:no_inline",
    "panda_gym.workflows:residual_degrees": "panda_gym.workflows.degrees:residual_degrees",
    f"{_PLACEMENT}.batch:Batch": f"{_PLACEMENT}.batch:PlacementBatch",
    f"{_PLACEMENT}.named_scenarios:AS_IT_IS": f"{_PLACEMENT}.named_scenarios:ALL_MECHANISMS",
    f"{_PLACEMENT}.observation:View": f"{_PLACEMENT}.observation:PlacementView",
    f"{_PLACEMENT}.policies.base:Drawing": f"{_PLACEMENT}.policies.base:Sampling",
    f"{_PLACEMENT}.policies.base:DrawingAmongBest": f"{_PLACEMENT}.policies.base:SamplingAmongBest",
    f"{_PLACEMENT}.policies.choice:best": f"{_PLACEMENT}.policies.choice:greedy",
    f"{_PLACEMENT}.policies.choice:draw": f"{_PLACEMENT}.policies.choice:sample",
    f"{_PLACEMENT}.policies.choice:draw_among_best": (
        f"{_PLACEMENT}.policies.choice:sample_among_best"
    ),
    f"{_PLACEMENT}.policies.zoo_agents:HindsightScorer": (
        f"{_PLACEMENT}.policies.zoo_agents:DifferenceRewardScorer"
    ),
    f"{_PLACEMENT}.sb3:sb3_vec_env": "panda_gym.environments.sb3:sb3_vec_env",
    "panda_gym.environments.base.lazy_info:Info": (
        "panda_gym.environments.base.lazy_info:LazyInfo"
    ),
    "panda_gym.environments.base.thread_pool:Crew": (
        "panda_gym.environments.base.thread_pool:ThreadPool"
    ),
    "panda_gym.episode_log:room": "panda_gym.episode_log:event_capacity",
    "panda_gym.executors:Here": "panda_gym.executors:SerialExecutor",
    "panda_gym.executors:OnRay": "panda_gym.executors:RayExecutor",
    "panda_gym.executors:Workers": "panda_gym.executors:Executor",
    "panda_gym.jobs:mean_cores_underway": "panda_gym.jobs:mean_residual_cores",
    "panda_gym.surrogate.fit_record:FIT": "panda_gym.surrogate.fit_record:FIT_FILE",
    "panda_gym.surrogate.fit_record:Fit": "panda_gym.surrogate.fit_record:FitRecord",
    "panda_gym.surrogate:HEAD_SEED": "panda_gym.surrogate:FIRST_WEEK_SEED",
    "panda_gym.surrogate:OwnWeeks": "panda_gym.surrogate:StreamWeeks",
    "panda_gym.surrogate:Weeks": "panda_gym.surrogate:IndependentWeeks",
}
"""Old public name to new one, both as "module:name"; the module is the new one."""

VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "learner": {"hindsight": "difference_reward"},
    "policy": {"hindsight-scorer": "difference-reward-scorer"},
    "scenario": {"kept": "standard"},
    "workflow policy": {"heft": "upward_rank_earliest_finish"},
}
"""Old values of options and arguments to new ones, by what they name."""


FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "Task": {"law": "duration"},
    "TaskSet": {"law": "distribution"},
}
"""Class to its old field names and the new ones."""

FILE_KEYS: Final[Mapping[str, str]] = {"distribution": "law"}
"""Key of a file to what files of 0.1 call it; they are read without a warning."""


def warn(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn that `old` is now `new`, and say in which release the old name goes."""
    message = f"{old} is now {new}; the old name is removed in release {REMOVED_IN}"
    warnings.warn(message, FutureWarning, stacklevel=stacklevel)


def renamed(old: str, new: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` under its old name: calls warn and pass everything on."""

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        warn(old, new)
        return function(*args, **keywords)

    return call


def renamed_value(kind: str, value: str) -> str:
    """Return today's value of an option or argument; an old one of `VALUES` warns."""
    new = VALUES[kind].get(value)
    if new is None:
        return value
    warn(f"the {kind} {value!r}", repr(new), stacklevel=4)
    return new


def renamed_keywords(
    given: Mapping[str, Any], names: Mapping[str, str], stacklevel: int = 3
) -> dict[str, Any]:
    """Return keyword arguments with old names replaced by new ones; each old one warns."""
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key in names:
            warn(f"the keyword {key!r}", repr(names[key]), stacklevel)
        found[names.get(key, key)] = value
    return found


def old_keywords(**names: str) -> Callable[[Called], Called]:
    """Return a decorator of a function or class that also accepts old keywords; each one warns."""

    def decorate(called: Called) -> Called:
        function: Any = called.__init__ if isinstance(called, type) else called  # type: ignore[misc]

        @functools.wraps(function)
        def accept(*values: Any, **keywords: Any) -> Any:
            if names.keys() & keywords.keys():
                keywords = renamed_keywords(keywords, names, stacklevel=4)
            return function(*values, **keywords)

        if not isinstance(called, type):
            return cast(Called, accept)
        called.__init__ = accept  # type: ignore[misc]
        return called

    return decorate


def old_names(module: str) -> Callable[[str], Any]:
    """Return a module's `__getattr__` that resolves the old names listed in `NAMES`."""

    def get(name: str) -> Any:
        target = NAMES.get(f"{module}:{name}")
        if target is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn(f"{module}.{name}", target.replace(":", "."))
        place, _, attribute = target.partition(":")
        return getattr(importlib.import_module(place), attribute)

    return get


class _Loader(importlib.abc.Loader):
    """Load the module that stands at the new path."""

    def __init__(self, target: str) -> None:
        self.target = target

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the module at the new path; the old path becomes a second key to it."""
        module = importlib.import_module(self.target)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back, which the import machinery has replaced."""
        module.__spec__ = self.spec


class _Finder(importlib.abc.MetaPathFinder):
    """Find modules of `MOVED` and `ALIASES` at their new path."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for an old path, or None where the name is not an old one."""
        new = _new_path(fullname)
        if new is None:
            return None
        if fullname in MOVED:
            warn(fullname, new, stacklevel=_importer())
        return importlib.machinery.ModuleSpec(fullname, _Loader(new), is_package=True)


def _new_path(name: str) -> str | None:
    head, tail = name, ""
    while "." in head:
        for table in (MOVED, ALIASES):
            if head in table:
                return table[head] + tail
        head, _, last = head.rpartition(".")
        tail = f".{last}{tail}"
    return None


def _importer() -> int:
    """Return the stack level, counted from `warn`, of the code that imports."""
    level, frame = 3, sys._getframe(2)
    while frame is not None and "importlib" in frame.f_code.co_filename:
        # The module `warnings` does not count the frames of the import machinery itself.
        level += "_bootstrap" not in frame.f_code.co_filename
        frame = frame.f_back  # type: ignore[assignment]
    return level


def install() -> None:
    """Make old module paths importable; a second call changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # First, or a submodule of a moved package would be loaded a second time from its file.
        sys.meta_path.insert(0, _Finder())

"""An equivariant actor and critic for placement environments of any action space, in torch.

One network, shared by all sites, scores each site from its own features, the job's, the grid's and
a summary of all legal sites (Zaheer et al., Deep Sets, 2017), so that a permutation of the sites
permutes the scores. The scores begin at those of earliest completion: the network learns what to
add to them (Silver et al., Residual policy learning, 2018).

    net = SiteActorCritic.of(env)                    # a single, vector or stable-baselines3 one
    logits, value = net(observation)                 # float32 [B, A], float32 [B]

`observation` is a dictionary of tensors with a batch axis, as the environment gives it. Actions
that the mask forbids have the logit NEVER, so that a categorical distribution never draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import torch
from gymnasium import spaces
from torch import Tensor, nn

from panda_gym.environments.base.features import position
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.policies.scorer import ALMOST_ONE, PART_FEATURES, spread
from panda_gym.errors import PolicyError
from panda_gym.units import SECONDS_PER_HOUR

NEVER: Final = -1e8
"""Logit of an illegal action; finite, so that 0 x NEVER is 0."""

FAR: Final = 1e3
"""Regret of an illegal site."""

MOST: Final = 5.0
"""Regrets and shares of a site's cores are cut here."""

TIMES: Final = ("wait", "transfer", "run")
"""Their sum is the completion time that the broker expects."""
SHARES: Final = ("free_cores", "running", "activated", "assigned", "queued_work")
"""Counters that also enter as shares of the site's cores, the work in core hours."""
UNITS: Final = {
    "wait": 600.0, "transfer": 600.0, "run": 600.0, "queued_work": 3600.0, "disk_free": 1000.0,
}  # fmt: skip
"""Amounts x enter as ln(1 + x / unit); of the other features the unit is 1."""

WAIT, TRANSFER, RUN = (position(SITE_FEATURES, name) for name in TIMES)
WAITS: Final = (WAIT, TRANSFER)
CORES: Final = position(SITE_FEATURES, "cores")
COUNTS: Final = tuple(position(SITE_FEATURES, name) for name in SHARES)
JOB_CORES: Final = position(JOB_FEATURES, "cores")
TIME_SCALES: Final = torch.tensor([SITE_FEATURES[row].scale for row in (*WAITS, RUN)])[:, None]

SITE_INPUTS: Final = 3 + len(SITE_FEATURES) + len(SHARES) + 2
CONTEXT_INPUTS: Final = len(JOB_FEATURES) + len(GRID_FEATURES)


@dataclass(frozen=True)
class NetworkShape:
    """Sizes and start of the network.

    hidden: width of the layers that all sites share.
    critic: width of the layer that values the whole observation.
    sharpness: at the start a site's score is -sharpness x ln(its completion / the least one).
    leave: logit at the start of leaving data as they are; replicas moved or removed have 0.
    gain: factor on what the network adds to a site's score, and so on its rate of learning.
    candidates: the network looks at so many sites, those of the earliest expected completion; the
        others keep the scores of the start. This saves most of the time.
    """

    hidden: int = 32
    critic: int = 64
    sharpness: float = 8.0
    leave: float = 8.0
    gain: float = 4.0
    candidates: int = 24


class SiteActorCritic(nn.Module):
    """Logits of all actions and a value from an observation of a placement environment.

    Args:
        defer: whether the job may be deferred: one action more.
        data: whether each decision has a second part about data (`PandaGrid/DataPlacement-v0`).
        shape: sizes of the network.

    forward: observation of tensors [B, ...] -> logits float32 [B, A], value float32 [B]. The parts
    of an action stand one after the other, as in `action_masks()`. With `decisions=K` the network
    looks at each of the K jobs, and the value is the mean.
    """

    context_ratio: Tensor
    site_ratio: Tensor
    site_scale: Tensor
    site_unit: Tensor

    def __init__(
        self, *, defer: bool = False, data: bool = False, shape: NetworkShape | None = None
    ) -> None:
        super().__init__()
        self.defer, self.data, self.shape = defer, data, shape or NetworkShape()
        width, critic = self.shape.hidden, self.shape.critic
        self.site_in = nn.Linear(SITE_INPUTS, width)
        self.context_in = nn.Linear(CONTEXT_INPUTS, width, bias=False)
        self.site_mid = nn.Linear(width, width)
        self.pool_mid = nn.Linear(2 * width, width, bias=False)
        self.site_out = nn.Linear(width, 3 if data else 1)
        self.whole_out = (
            nn.Linear(2 * width + CONTEXT_INPUTS, defer + data) if defer or data else None
        )
        self.critic_in = nn.Linear(2 * width + CONTEXT_INPUTS, critic)
        self.critic_out = nn.Linear(critic, 1)
        self.sharpness = nn.Parameter(torch.tensor(float(self.shape.sharpness)))
        ratios = {
            name: torch.tensor([feature.kind == "ratio" for feature in table])
            for name, table in PART_FEATURES.items()
        }
        units = [UNITS.get(feature.name, 1.0) for feature in SITE_FEATURES]
        scales = [feature.scale for feature in SITE_FEATURES]
        self.register_buffer("context_ratio", torch.cat([ratios["job"], ratios["grid"]]), False)
        self.register_buffer("site_ratio", ratios["sites"][:, None], False)
        self.register_buffer("site_scale", torch.tensor(scales)[:, None], False)
        self.register_buffer("site_unit", torch.tensor(units)[:, None], False)
        self._begin()

    @classmethod
    def of(cls, env: Any, shape: NetworkShape | None = None) -> SiteActorCritic:
        """Return a network for a single, vector or stable-baselines3 environment."""
        space = getattr(env, "single_observation_space", env.observation_space)
        return cls.for_observation(space, shape)

    @classmethod
    def for_observation(
        cls, space: spaces.Space, shape: NetworkShape | None = None
    ) -> SiteActorCritic:
        """Return a network for the observation space of one environment; PolicyError if flat."""
        if not isinstance(space, spaces.Dict) or "sites" not in space.spaces:
            raise PolicyError(
                "the dictionary of an environment",
                type(space).__name__,
                'make the environment with observation="dict"',
            )
        sites, mask = space["sites"].shape[-1], space["action_mask"].shape[-1]  # type: ignore[index]
        data = mask > 2 * sites
        return cls(defer=mask - sites - data * (1 + 2 * sites) > 0, data=data, shape=shape)

    @torch.no_grad()
    def _begin(self) -> None:
        """Set the first weights: little is added to the scores of earliest completion."""
        self.site_out.weight.mul_(0.01)
        self.site_out.bias.zero_()
        if self.whole_out is not None:
            self.whole_out.weight.mul_(0.01)
            self.whole_out.bias.copy_(
                torch.tensor([-self.shape.leave] * self.defer + [self.shape.leave] * self.data)
            )
        self.critic_out.weight.mul_(0.1)
        self.critic_out.bias.zero_()

    def forward(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return logits, float32 [B, A], and values, float32 [B]."""
        sites, job, grid, mask = (
            observation[part] for part in ("sites", "job", "grid", "action_mask")
        )
        if sites.dim() == 3:
            return self._one(sites, job, grid, mask)
        many = sites.shape[1]
        logits, value = self._one(
            sites.flatten(0, 1), job.flatten(0, 1), grid.flatten(0, 1), mask.flatten(0, 1)
        )
        return logits.unflatten(0, (-1, many)).flatten(1), value.unflatten(0, (-1, many)).mean(1)

    def _one(self, sites: Tensor, job: Tensor, grid: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The same for one job each."""
        near, prior = self._nearest(sites, mask[:, : sites.shape[2]] > 0)
        rows, lens, context = self.inputs(near, sites, job, grid)
        first = torch.relu(self.site_in(rows) + self.context_in(context)[:, None, :])
        pooled = self.pool_mid(torch.bmm(lens, first).flatten(1))
        second = torch.relu(self.site_mid(first) + pooled[:, None, :])
        summary = torch.cat([torch.bmm(lens, second).flatten(1), context], dim=1)
        logits = self._logits(near.spread(self.site_out(second), sites.shape[2]), prior, summary)
        value = self.critic_out(torch.relu(self.critic_in(summary)))[:, 0]
        return logits.masked_fill(mask == 0, NEVER), value

    def _nearest(self, sites: Tensor, legal: Tensor) -> tuple[Nearest, Tensor]:
        """The sites at which the network looks, and the scores of all sites at the start."""
        with torch.no_grad():
            regret = completion_regret(sites, legal)
            many = min(self.shape.candidates, sites.shape[2])
            far = torch.where(legal, regret, FAR)
            found, at = far.topk(many, dim=1, largest=False, sorted=False)
        return Nearest(at, found, found < FAR), -self.sharpness * regret

    @torch.no_grad()
    def inputs(
        self, near: Nearest, sites: Tensor, job: Tensor, grid: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the network sees, about unit scale at every size of the grid.

        Returns rows [B, K, SITE_INPUTS] of the K nearest sites; the lenses [B, 2, K] through which
        sites are summed, all legal ones alike and those of the earliest completion before others;
        and the context [B, CONTEXT_INPUTS], the job and the grid.
        """
        context = spread(torch.cat([job, grid], dim=1), self.context_ratio)
        codes = near.sites(sites)
        clear = codes.clamp(max=ALMOST_ONE)
        amounts = clear * self.site_scale / (1.0 - clear)
        logs = torch.where(self.site_ratio, torch.log1p(amounts / self.site_unit), codes)
        run = amounts[:, RUN] + 1.0
        completion = amounts[:, list(WAITS)].sum(dim=1) + run
        share = amounts[:, list(COUNTS)] / amounts[:, CORES, None].clamp(min=1.0)
        share[:, -1] /= SECONDS_PER_HOUR
        ratios = [
            near.regret.clamp(max=MOST),
            torch.log(completion / run),
            torch.log(completion) - 8,
        ]
        needed = torch.log1p(job_cores(job) / amounts[:, CORES].clamp(min=1.0))
        other = torch.stack([*ratios, needed, (amounts[:, WAIT] <= 0.0).float()], dim=1)
        rows = torch.cat([other, logs, share.clamp(max=MOST)], dim=1)
        even = near.legal / near.legal.sum(dim=1, keepdim=True).clamp(min=1)
        close = torch.softmax(torch.where(near.legal, -4.0 * near.regret, NEVER), dim=1)
        return rows.transpose(1, 2).contiguous(), torch.stack([even, close], dim=1), context

    def _logits(self, added: Tensor, prior: Tensor, summary: Tensor) -> Tensor:
        """Logits in the order of the actions, from what is added per site [B, S, 1 or 3]."""
        place = self.shape.gain * added[:, :, 0] + prior
        if self.whole_out is None:
            return place
        parts, whole = [place], self.whole_out(summary)
        if self.defer:
            parts.append(whole[:, :1])
        if self.data:
            parts += [whole[:, -1:], added[:, :, 1], added[:, :, 2]]
        return torch.cat(parts, dim=1)


class Nearest(NamedTuple):
    """The K sites of earliest expected completion in each of B observations."""

    at: Tensor
    """Their numbers, int64 [B, K]."""
    regret: Tensor
    """ln(completion / the least one), float32 [B, K]; FAR where the site is not legal."""
    legal: Tensor
    """Whether they are legal, bool [B, K]."""

    def sites(self, sites: Tensor) -> Tensor:
        """Their features, float32 [B, F, K] of [B, F, S]."""
        return sites.gather(2, self.at[:, None, :].expand(-1, sites.shape[1], -1))

    def spread(self, values: Tensor, count: int) -> Tensor:
        """Values [B, K, n] put where their sites stand among `count` sites, 0 elsewhere."""
        whole = values.new_zeros(values.shape[0], count, values.shape[2])
        return whole.scatter(1, self.at[:, :, None].expand(-1, -1, values.shape[2]), values)


def completion_regret(sites: Tensor, legal: Tensor) -> Tensor:
    """ln(expected completion of the job / the least of the legal sites), float32 [B, S]."""
    clear = sites[:, [*WAITS, RUN]].clamp(max=ALMOST_ONE)
    completion = (clear * TIME_SCALES / (1.0 - clear)).sum(dim=1) + 1.0
    best = torch.where(legal, completion, torch.inf).amin(dim=1, keepdim=True)
    return torch.log(completion / torch.where(best.isinf(), 1.0, best)).clamp(-MOST, MOST)


def job_cores(job: Tensor) -> Tensor:
    """Cores that the job needs, float32 [B, 1]."""
    clear = job[:, JOB_CORES, None].clamp(max=ALMOST_ONE)
    return clear * JOB_FEATURES[JOB_CORES].scale / (1.0 - clear)

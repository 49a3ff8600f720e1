"""A trained agent as a policy, saved in a folder of safetensors and JSON.

    agent.json          kind, network, features, provenance (command, seed, versions, curve)
    agent.safetensors   weights

Nothing in the folder is executed: there is no pickle in it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies import current_name
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.environments.placement.policies.choice import (
    greedy,
    greedy_probabilities,
    sample,
    sample_probabilities,
)
from panda_gym.environments.placement.policies.settings import at_least
from panda_gym.errors import PolicyError
from panda_gym.files import sha256, whole_folder
from panda_gym.units import BYTES_PER_TB

if TYPE_CHECKING:
    from torch import nn

CARD: Final = "agent.json"
WEIGHTS: Final = "agent.safetensors"

ZOO: Final = Path(__file__).parent / "zoo"
"""Agents that ship with the package, see `zoo_agents`."""

KINDS: Final = {
    "site_scorer": (
        "scorer",
        "SiteScorer",
        "ScorerShape",
    ),
    "site_value": (
        "site_value",
        "SiteValue",
        "ValueShape",
    ),
    "scale_free_value": (
        "scale_free_value",
        "ScaleFreeValue",
        "ValueShape",
    ),
}
"""Networks by name: module, class, class of its sizes; all are called alike."""


@dataclass(frozen=True)
class Learned(Memoryless):
    """Scores every site with a trained network, see KINDS.

    folder: where the agent was saved.
    greedy: True takes the best score, False draws from softmax(scores) as in training.
    price_wan_tb: what a TB that the input must move from another site takes off a site's score.
    """

    folder: str | Path
    greedy: bool = True
    price_wan_tb: float = 0.0
    scorer: nn.Module = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        at_least("price_wan_tb", self.price_wan_tb, 0.0)
        object.__setattr__(self, "scorer", load_agent(self.folder))

    def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
        scores = self.scores(view)
        if self.greedy:
            return greedy(scores, view.mask, rng)
        return sample(_softmax_weights(scores, view.mask), view.mask, rng)

    def distribution(self, view: PlacementView) -> np.ndarray:
        scores = self.scores(view)
        if self.greedy:
            return greedy_probabilities(scores, view.mask)
        return sample_probabilities(_softmax_weights(scores, view.mask), view.mask)

    def scores(self, view: PlacementView) -> np.ndarray:
        """Return the score of every site, float64[E, S]."""
        import torch

        codes = (torch.as_tensor(view.codes(part)) for part in ("sites", "job", "grid"))
        with torch.inference_mode():
            scores, _ = self.scorer(*codes, torch.as_tensor(view.mask))
        found = scores.double().numpy()
        if self.price_wan_tb > 0.0:
            moved = view.job("input_bytes") * (1.0 - view.site("local_share"))
            found = found - self.price_wan_tb * moved / BYTES_PER_TB
        return found


def _softmax_weights(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    scores = np.where(mask, scores, -np.inf)
    return np.exp(scores - scores.max(axis=1, keepdims=True))


def save_agent(folder: str | Path, scorer: nn.Module, provenance: dict[str, Any]) -> None:
    """Write an agent folder, whole or not at all."""
    from panda_gym.environments.placement.policies.scorer import features_fingerprint, save_weights

    with whole_folder(folder, CARD) as aside:
        save_weights(scorer, aside / WEIGHTS)
        card = {
            "kind": kind_of(scorer),
            "network": vars(scorer.shape),
            "weights_sha256": sha256(aside / WEIGHTS),
            "features": features_fingerprint(),
            **({"rows": rows} if (rows := _row_names(scorer)) else {}),
            "provenance": provenance,
        }
        (aside / CARD).write_text(json.dumps(card, indent=1) + "\n")


def agent_folder(folder: str | Path) -> Path:
    """The agent's own folder: the given one, `agent` inside a training run's, or one that ships.

    An agent that ships goes by its name, so that what is written of it names no machine's path.
    """
    given, ships = Path(folder), ZOO / current_name(str(folder))
    if not given.exists() and (ships / CARD).is_file():
        return ships
    inside = given / "agent"
    return inside if (inside / CARD).is_file() else given


def is_agent(folder: str | Path) -> bool:
    """Whether there is an agent in a folder, or in `agent` inside it."""
    return (agent_folder(folder) / CARD).is_file()


def read_card(folder: str | Path) -> dict[str, Any]:
    """Return an agent's JSON card; PolicyError if the folder holds no agent of ours."""
    path = agent_folder(folder) / CARD
    try:
        card = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PolicyError(
            f"an agent's folder with {CARD}", f"{folder}: {error}", "train an agent first"
        ) from error
    if not isinstance(card, dict) or card.get("kind") not in KINDS:
        needed = f"an agent of one of the kinds {list(KINDS)}"
        raise PolicyError(needed, f"{path}", "train an agent with `train`")
    return card


def _row_names(scorer: nn.Module) -> list[str]:
    """What the network sees of a site, by name; none where the kind alone says it."""
    names: Sequence[str] = getattr(scorer, "row_names", ())  # type: ignore[assignment]
    return list(names)


def kind_of(scorer: nn.Module) -> str:
    """The name of a network's kind."""
    return next(kind for kind, (_, name, _) in KINDS.items() if name == type(scorer).__name__)


def load_agent(folder: str | Path) -> nn.Module:
    """Rebuild the scorer of an agent folder; PolicyError if altered or of other features."""
    from panda_gym.environments.placement.policies.scorer import features_fingerprint, load_weights

    card, weights = read_card(folder), agent_folder(folder) / WEIGHTS
    if card.get("features") != features_fingerprint():
        raise PolicyError(
            "an agent trained on this observation",
            f"{folder}, trained on other features",
            "train the agent again",
        )
    if not weights.is_file() or sha256(weights) != card.get("weights_sha256"):
        raise PolicyError(
            f"the weights that {CARD} names",
            f"{weights}, missing or altered",
            "restore the folder or train the agent again",
        )
    module, network, shape = KINDS[card["kind"]]
    found = importlib.import_module(f"{__package__}.{module}")
    built = getattr(found, network)(getattr(found, shape)(**card["network"]))
    rows = _row_names(built)
    if card.get("rows", []) != rows:
        needed = f"an agent whose network sees the {len(rows)} rows of this version"
        came = f"{folder}, which sees {len(card.get('rows', []))} rows, some of them others"
        raise PolicyError(needed, came, "train the agent again")
    return load_weights(built, weights)

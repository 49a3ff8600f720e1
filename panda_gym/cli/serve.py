"""`panda-grid serve`: answer requests for decisions, so that others can ask our policies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Seed


def serve(
    policy: Annotated[
        str,
        typer.Option(help="A registered policy, NAME@scaled, tuned@FIT, or an agent's folder."),
    ] = "earliest_completion",
    scale: Annotated[
        float, typer.Option(help="Scale of the grid, which constants of NAME@scaled follow.")
    ] = 1.0,
    socket: Annotated[
        Path | None,
        typer.Option(
            help="Local (Unix) socket to answer on, one client after the other.",
            show_default="standard input and output",
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Answer requests for decisions: JSON lines in, one reply a request out, until they end."""
    from panda_gym.benchmarking.policy_resolution import find_policies
    from panda_gym.environments.placement.policies import Policy
    from panda_gym.environments.placement.protocol import serve as answer
    from panda_gym.environments.placement.protocol import serve_socket
    from panda_gym.errors import PolicyError

    (chosen,) = find_policies([policy], scale).values()
    if not isinstance(chosen, Policy):
        raise PolicyError("a policy", f"{policy!r}, which sees the future", "serve a policy")
    if socket is None:
        answer(chosen, sys.stdin.buffer, sys.stdout.buffer, seed=seed)
    else:
        serve_socket(chosen, socket, seed=seed)

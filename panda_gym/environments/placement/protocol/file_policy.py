"""A policy in a file of the user's: one function `act(observation, info)`.

    def act(observation, info):
        wait = observation["sites"]["wait"] + observation["sites"]["run"]
        return int(min(range(len(wait)), key=lambda k: wait[k] if observation["mask"][k] else 1e30))

`observation` holds natural units: `job` and `grid` map names of features to floats, `sites` maps
them to float64[S], and `mask` is bool[S]. `info` holds `episode`, `decision`, `site_names` and
`regions`; a function of one argument is called without it. The file is run in this process, and
only because the user names it. A function that hangs cannot be stopped: use a process for that.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from panda_gym.environments.placement.protocol.outside import OutsidePolicy, ReplyFault
from panda_gym.errors import PolicyError


class FilePolicy(OutsidePolicy):
    """The function `act` of a Python file; PolicyError if there is none.

    An exception in `act` costs that decision alone, and the next one is asked again.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._act, self._takes_info = _load(self.path)
        super().__init__(f"file:{path}")

    def ask(self, observation: Mapping[str, Any], episode: int, decision: int) -> Any:
        """Return what `act` returns; ReplyFault if it raises."""
        info = {
            "episode": episode,
            "decision": decision,
            "site_names": self.site_names,
            "regions": self.regions,
        }
        try:
            return self._act(observation, info) if self._takes_info else self._act(observation)
        except Exception as error:  # any code of the user's: the run goes on
            where = traceback.extract_tb(error.__traceback__)[-1]
            came = f"act raised {error!r:.200} at {Path(where.filename).name}:{where.lineno}"
            raise ReplyFault("dead", came) from None

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the function, which the other process loads from the file."""
        return {k: v for k, v in vars(self).items() if k not in ("_act", "_takes_info", "_batch")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _batch=None)
        self._act, self._takes_info = _load(self.path)


def _load(path: Path) -> tuple[Callable[..., Any], bool]:
    """Run a file and return its function `act`, and whether it takes `info`."""
    needed = f"a Python file with a function act(observation, info) at {path}"
    if not path.is_file():
        raise PolicyError(needed, "no such file", "correct the path after file:")
    name = f"panda_grid_policy_{sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PolicyError(needed, f"a file named {path.name}", "let its name end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # any code of the user's
        raise PolicyError(needed, f"{error!r:.300}", "correct the file") from error
    act = getattr(module, "act", None)
    if not callable(act):
        raise PolicyError(needed, "no function act", "define it")
    try:
        places = inspect.signature(act).parameters.values()
    except (TypeError, ValueError):
        return act, True
    plain = [one for one in places if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return act, len(plain) > 1 or any(one.kind is one.VAR_POSITIONAL for one in places)

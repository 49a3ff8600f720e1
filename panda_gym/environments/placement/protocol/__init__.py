"""Exchange of decisions with other programs: JSON lines, one request and one reply a decision.

`ProcessPolicy` asks a program of others for sites, `FilePolicy` a function in a file; `serve`
answers requests with a policy of ours. Both directions speak the messages of `messages`.
"""

from __future__ import annotations

from panda_gym.environments.placement.protocol.file_policy import FilePolicy
from panda_gym.environments.placement.protocol.messages import PROTOCOL, request
from panda_gym.environments.placement.protocol.outside import FATES, OutsidePolicy, ReplyWarning
from panda_gym.environments.placement.protocol.process_policy import ProcessPolicy
from panda_gym.environments.placement.protocol.server import PolicyServer, serve, serve_socket

__all__ = [
    "FATES",
    "PROTOCOL",
    "FilePolicy",
    "OutsidePolicy",
    "PolicyServer",
    "ProcessPolicy",
    "ReplyWarning",
    "request",
    "serve",
    "serve_socket",
]

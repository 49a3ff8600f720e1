"""Functions that are only compiled as parts of others; knows numba's libraries, nothing of grids.

numba optimises every function with all that it calls, and makes machine code of it, even where
nobody but a compiled function calls it: in a kernel of a hundred functions most of the time to
compile goes into code that is thrown away. The library of a part only keeps what is to be linked
into its callers; the function that Python calls is optimised as one.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class Nowhere:
    """Where the environments of functions without machine code go."""

    def set_env(self, name: str, environment: Any) -> None:
        """Forget it."""


class Part(JITCodeLibrary):
    """The code of a function that waits for its callers."""

    codegen = Nowhere()

    def _optimize_final_module(self) -> None:
        """Left to the callers."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return 0: there is no machine code."""
        self._ensure_finalized()
        return 0


class PartCompiler(Compiler):
    """numba's compiler, into a Part."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *more: Any) -> None:
        super().__init__(typingctx, targetctx, library or Part(targetctx.codegen(), "part"), *more)

"""Functions that are only compiled as parts of others; knows numba's libraries, nothing of grids.

numba optimises every function with all that it calls, and makes machine code of it, even where
nobody but a compiled function calls it: in a kernel of a hundred functions most of the time to
compile goes into code that is thrown away. The library of a part only keeps what is to be linked
into its callers; the function that Python calls is optimised as one.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import Linkage
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


class Shared(Part):
    """The code of a function that is called where it is needed, never inlined."""

    def _finalize_final_module(self) -> None:
        for function in self._final_module.functions:
            inlined = any(b"alwaysinline" in one for one in function.attributes)
            if not (inlined or function.is_declaration) and function.linkage == Linkage.external:
                function.add_function_attribute("noinline")
        super()._finalize_final_module()


class Whole(JITCodeLibrary):
    """The code of a function that Python calls, with all its parts."""

    def _optimize_final_module(self) -> None:
        """Once: numba's first round gathers reference counts, of which there are none."""
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class WholeCompiler(Compiler):
    """numba's compiler, into a Whole."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *more: Any) -> None:
        if library is None:
            library = Whole(targetctx.codegen(), "whole")
            library.enable_object_caching()
        super().__init__(typingctx, targetctx, library, *more)


class PartCompiler(Compiler):
    """numba's compiler, into a Part."""

    library = Part

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *more: Any) -> None:
        part = library or self.library(targetctx.codegen(), "part")
        super().__init__(typingctx, targetctx, part, *more)


class SharedCompiler(PartCompiler):
    """numba's compiler, into a Shared."""

    library = Shared

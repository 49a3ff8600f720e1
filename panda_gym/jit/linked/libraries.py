"""Code libraries of the linked mode: inline, no-inline and entry.

numba optimises every function with all that it calls, and makes machine code of it, even where
only compiled functions call it. In a kernel of a hundred functions most of the time to compile
goes into code that is thrown away. Here the library of a callee keeps unoptimised code, which is
linked into its callers, and an entry is optimised once, as a whole.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import Linkage
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class NoEnvironments:
    """Stands for a library's code generator, and drops the environments that it is given.

    An environment belongs to machine code, and a callee has none.
    """

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing."""


class InlineLibrary(JITCodeLibrary):
    """Code that is linked into its callers, without machine code of its own."""

    codegen = NoEnvironments()

    def _optimize_final_module(self) -> None:
        """Do nothing: the callers are optimised."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return 0: there is no machine code."""
        self._ensure_finalized()
        return 0


class NoInlineLibrary(InlineLibrary):
    """Code that is linked into its callers and stays a function there."""

    def _finalize_final_module(self) -> None:
        for function in self._final_module.functions:
            inlined = any(b"alwaysinline" in one for one in function.attributes)
            if not (inlined or function.is_declaration) and function.linkage == Linkage.external:
                function.add_function_attribute("noinline")
        super()._finalize_final_module()


class EntryLibrary(JITCodeLibrary):
    """Code of a function that Python calls, with all its callees."""

    def _optimize_final_module(self) -> None:
        """Optimise once: numba's first round would remove reference counts, and there are none."""
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class EntryCompiler(Compiler):
    """numba's compiler into an `EntryLibrary`."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *more: Any) -> None:
        if library is None:
            library = EntryLibrary(targetctx.codegen(), "entry")
            library.enable_object_caching()
        super().__init__(typingctx, targetctx, library, *more)


class InlineCompiler(Compiler):
    """numba's compiler into an `InlineLibrary`."""

    library = InlineLibrary

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *more: Any) -> None:
        own = library or self.library(targetctx.codegen(), "callee")
        super().__init__(typingctx, targetctx, own, *more)


class NoInlineCompiler(InlineCompiler):
    """numba's compiler into a `NoInlineLibrary`."""

    library = NoInlineLibrary

"""One script of many modules: a browser asks for it once, not some two dozen times before it can begin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

# The only ways in which the explorer's modules import and export. What is exported is never assigned again.
IMPORT = re.compile(r"^import \{ ([\w, ]+) \} from '\./(\w+)\.js'\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
OTHERWISE = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(modules: Mapping[str, str]) -> str:
    """As one module that does the same: each a function's body with what it imports before it, and what it
    exports after it, so that no name of one is known to another that has not imported it.

    `modules` are sources by name, without `.js`. Raises `CycleError` where two import each other, and
    `ValueError` for a name that is not exported there, and for an import or export in another form.
    """
    imports = {name: IMPORT.findall(source) for name, source in modules.items()}
    exports = {name: EXPORT.findall(source) for name, source in modules.items()}
    for name, imported in imports.items():
        for names, of in imported:
            if missing := set(names.split(", ")) - set(exports.get(of, ())):
                raise ValueError(f"{of}.js does not export what {name}.js imports: {', '.join(missing)}")
    order = TopologicalSorter({name: [of for _, of in imported] for name, imported in imports.items()})
    return "".join(_part(name, modules[name], exports[name]) for name in order.static_order())


def _part(name: str, source: str, exported: Sequence[str]) -> str:
    body = EXPORT.sub("", IMPORT.sub(r"const { \1 } = of_\2\n", source))
    if other := OTHERWISE.search(body):
        raise ValueError(f"Write this of {name}.js in another way: {other[0]}")
    return f"const of_{name} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }}\n}})()\n"

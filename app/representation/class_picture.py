"""The picture of the classes and their links: boxes in columns and lines between them, from the graph.

Columns are the distance from the classes that nothing leads to, so that a line never has to pass a box. The
same graph gives the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rdflib.namespace import RDF, RDFS
from rdflib.term import Node

from app.contract.contract import Contract, in_order, subjects, text
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import by_iri, local_name

# In units of the picture, where a character of its text is about this wide.
LETTER, BOLD, ROW, HEAD, PADDING = 7.0, 9.5, 20, 38, 14
GAP_X, GAP_Y, GAP_PARTS = 84, 30, 44
ARROW = 8


@dataclass(frozen=True)
class Way:
    """A link of a class: its JSON key, the class that it leads to, and whether to one or to many."""

    key: str
    target: str
    many: bool


@dataclass
class Box:
    """A class; the corner at the top left is at `x` and `y`."""

    name: str
    parents: Sequence[str]
    ways: Sequence[Way]
    x: float = 0
    y: float = 0
    width: float = 0

    @property
    def height(self) -> float:
        return HEAD + (len(self.ways) * ROW + PADDING / 2 if self.ways else 0)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def wanted_width(self) -> float:
        rows = [(len(way.key) + len(way.target) + (5 if way.many else 3)) * LETTER for way in self.ways]
        head = len(self.name) * BOLD + sum(len(parent) + 4 for parent in self.parents) * LETTER
        return max(head, *rows, 100) + 2 * PADDING


@dataclass(frozen=True)
class Line:
    """`path` and `arrows` are SVG path data; `inherits` is the line from a class to a wider one."""

    path: str
    arrows: Sequence[str]
    inherits: bool = False


@dataclass(frozen=True)
class Picture:
    width: float
    height: float
    boxes: Sequence[Box]
    lines: Sequence[Line]
    others: Sequence[str] = field(default=())


def class_picture(contract: Contract) -> Picture:
    """Every class that is linked; `others` are those that are not, collections left out."""
    boxes = {box.name: box for box in _boxes(contract)}
    linked = {name for box in boxes.values() for way in box.ways for name in (box.name, way.target)}
    linked |= {name for box in boxes.values() for parent in box.parents for name in (box.name, parent)}
    drawn = {name: box for name, box in boxes.items() if name in linked}
    lines: list[Line] = []
    top, width = 0.0, 0.0
    for part in _parts(drawn):
        columns = _columns(part)
        _place(columns, part, top)
        lines += _lines(columns, part)
        top = max(box.y + box.height for box in part.values()) + GAP_PARTS
        width = max(width, *(box.x + box.width for box in part.values()))
    others = [name for name in boxes if name not in drawn]
    return Picture(width, top - GAP_PARTS, list(drawn.values()), lines, others)


def _boxes(contract: Contract) -> Iterable[Box]:
    graph = contract.sources.graph
    for node in in_order(contract.sources, subjects(contract.sources, HYDRA.Class)):
        if contract.classes[local_name(node)].member is None:
            parents = by_iri(graph.objects(node, RDFS.subClassOf))
            own = [local_name(parent) for parent in parents if (parent, RDF.type, HYDRA.Class) in graph]
            yield Box(local_name(node), own, list(_ways(contract, node)))


def _ways(contract: Contract, class_: Node) -> Iterable[Way]:
    graph = contract.sources.graph
    for supported in in_order(contract.sources, graph.objects(class_, HYDRA.supportedProperty)):
        property_ = graph.value(supported, HYDRA.property)
        if property_ is None:
            continue
        key = text(contract.sources, supported, HYDRA.title) or ""
        kinds = set(graph.objects(property_, RDF.type))
        found = [local_name(it) for it in by_iri(graph.objects(property_, RDFS.range))]
        found += [contract.ranges[local_name(property_)]] if local_name(property_) in contract.ranges else []
        target = next((name for name in found if name in contract.classes), None)
        if target is not None:
            member = contract.classes[target].member
            once = text(contract.sources, supported, SHACL.maxCount) == "1"
            linking = bool(kinds & {HYDRA.Link, HYDRA.TemplatedLink})
            yield Way(key, member or target, member is not None or not (once or linking))


def _neighbours(boxes: Mapping[str, Box]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in boxes}
    for box in boxes.values():
        for other in [way.target for way in box.ways] + list(box.parents):
            if other != box.name:
                found[box.name].add(other)
                found[other].add(box.name)
    return found


def _parts(boxes: Mapping[str, Box]) -> Iterable[dict[str, Box]]:
    """What hangs together, each in the order of the contract."""
    neighbours, seen = _neighbours(boxes), set[str]()
    for name in boxes:
        if name not in seen:
            part, waiting = {name}, [name]
            while waiting:
                more = neighbours[waiting.pop()] - part
                part |= more
                waiting += more
            seen |= part
            yield {each: box for each, box in boxes.items() if each in part}


def _columns(boxes: Mapping[str, Box]) -> list[list[Box]]:
    """By distance from what nothing leads to; neighbours are in the same column or in the next."""
    neighbours = _neighbours(boxes)
    led_to = {way.target for box in boxes.values() for way in box.ways if way.target != box.name}
    roots = [name for name in boxes if name not in led_to] or list(boxes)[:1]
    depth = dict.fromkeys(roots, 0)
    waiting = list(roots)
    for name in waiting:  # which grows meanwhile
        for other in sorted(neighbours[name] - set(depth)):
            depth[other] = depth[name] + 1
            waiting.append(other)
    columns: list[list[Box]] = [[] for _ in range(max(depth.values()) + 1)]
    for name, box in boxes.items():
        columns[depth[name]].append(box)
    return columns


def _place(columns: list[list[Box]], boxes: Mapping[str, Box], top: float) -> None:
    """Boxes come near to what they are linked with; the column with the most in it gives the height."""
    neighbours = _neighbours(boxes)
    x = 0.0
    for column in columns:
        width = max(box.wanted_width for box in column)
        for box in column:
            box.x, box.width = x, width
        x += width + GAP_X
        _stack(column, {})
    for sweep in range(12):
        for column in columns if sweep % 2 else reversed(columns):
            middles = {
                box.name: sum(boxes[it].middle for it in neighbours[box.name]) / len(neighbours[box.name])
                for box in column
            }
            column.sort(key=lambda box, middles=middles: middles[box.name])  # type: ignore[misc]
            _stack(column, middles)
    highest = min(box.y for box in boxes.values())
    for box in boxes.values():
        box.y += top - highest


def _stack(column: list[Box], middles: Mapping[str, float]) -> None:
    """Under each other, each where it wants to be as far as the one above lets it; then all moved together,
    so that on the average they are where they want to be."""
    bottom: float | None = None
    for box in column:
        wanted = middles.get(box.name, box.middle) - box.height / 2
        box.y = wanted if bottom is None else max(wanted, bottom + GAP_Y)
        bottom = box.y + box.height
    if middles:
        shift = sum(middles[box.name] - box.middle for box in column) / len(column)
        for box in column:
            box.y += shift


def _lines(columns: list[list[Box]], boxes: Mapping[str, Box]) -> Iterable[Line]:
    """One for each pair of classes, with an arrow at each end that something leads to."""
    column_of = {box.name: n for n, column in enumerate(columns) for box in column}
    pairs: dict[tuple[str, str], list[str]] = {}
    for box in boxes.values():
        for target in [way.target for way in box.ways if way.target != box.name]:
            ends = sorted((box.name, target), key=lambda name: (column_of[name], boxes[name].y))
            pairs.setdefault((ends[0], ends[1]), []).append(target)
    ports = _ports(pairs, column_of, boxes)
    for (left, right), targets in pairs.items():
        yield _line(boxes[left], boxes[right], ports, targets)
    for box in boxes.values():
        for parent in box.parents:
            yield _inheritance(box, boxes[parent])


Ports = dict[tuple[str, str], float]


def _ports(pairs: Iterable[tuple[str, str]], column_of: Mapping[str, int], boxes: Mapping[str, Box]) -> Ports:
    """How high on the first box the line to the second ends: those on one side do not cross each other."""
    sides: dict[tuple[str, bool], list[str]] = {}
    for left, right in pairs:
        sides.setdefault((left, True), []).append(right)
        sides.setdefault((right, column_of[left] == column_of[right]), []).append(left)
    ports: Ports = {}
    for (name, _), others in sides.items():
        box = boxes[name]
        others.sort(key=lambda other: boxes[other].middle)
        for n, other in enumerate(others):
            ports[name, other] = box.y + box.height * (n + 1) / (len(others) + 1)
    return ports


def _line(left: Box, right: Box, ports: Ports, targets: Sequence[str]) -> Line:
    """From the right side of one box to the left side of the next column's, or to the right of its own."""
    x1, y1, y2 = left.x + left.width, ports[left.name, right.name], ports[right.name, left.name]
    if left.x == right.x:
        x2, bend1, bend2 = x1, x1 + GAP_X * 0.6, x1 + GAP_X * 0.6
    else:
        x2 = right.x
        bend1, bend2 = x1 + GAP_X * 0.5, x2 - GAP_X * 0.5
    path = f"M{x1:.1f},{y1:.1f} C{bend1:.1f},{y1:.1f} {bend2:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    arrows = [_arrow(x1, y1, 1)] if left.name in targets else []
    arrows += [_arrow(x2, y2, 1 if x2 == x1 else -1)] if right.name in targets else []
    return Line(path, arrows)


def _arrow(x: float, y: float, side: int) -> str:
    """Its point is on the box, on whose left or right `side` it lies."""
    return f"M{x:.1f},{y:.1f} l{side * ARROW},{-ARROW / 2:.1f} v{ARROW} z"


def _inheritance(box: Box, parent: Box) -> Line:
    x = box.x + box.width / 2
    above = box.y < parent.y
    start, end = (box.y + box.height, parent.y) if above else (box.y, parent.y + parent.height)
    side = -1 if above else 1
    arrow = f"M{x:.1f},{end:.1f} l{-ARROW / 2:.1f},{side * ARROW} h{ARROW} z"
    return Line(f"M{x:.1f},{start:.1f} V{end + side * ARROW:.1f}", [arrow], inherits=True)

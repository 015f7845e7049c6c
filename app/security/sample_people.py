"""The people of the sample data: who they are to the local issuer."""

from __future__ import annotations

from typing import NamedTuple


class Person(NamedTuple):
    subject: str
    name: str
    email: str


OWNER = Person("owner", "Acme owner", "owner@acme.example")
MEMBER = Person("member", "Acme member", "member@acme.example")
NEIGHBOUR = Person("neighbour", "Globex owner", "owner@globex.example")
PEOPLE = (OWNER, MEMBER, NEIGHBOUR)

"""The vocabularies that the contract is written in."""

from __future__ import annotations

from rdflib import Namespace

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
SHACL = Namespace("http://www.w3.org/ns/shacl#")

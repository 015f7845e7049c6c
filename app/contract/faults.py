"""What stops the start: known to the command line without all that reads a contract."""

from __future__ import annotations


class ContractFault(Exception):  # noqa: N818 - a fault of the contract, which stops the start
    """One line that names the file and the term."""

    def __init__(self, file: str, term: str, fault: str) -> None:
        super().__init__(f"{file}: {term}: {fault}")

"""Purses on one ledger, as several processes would have them, and what their files say."""

import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clawswarm.clock import Clock
from clawswarm.engine.purse import Purse
from clawswarm.store.connect import open_store
from clawswarm.store.lease import Lease
from clawswarm.store.ledger import Ledger
from tests.money.priced import DAY


@dataclass(frozen=True)
class Counters:
    """What a lease's file says: what a SIGKILL at this moment would leave."""

    spent: int
    flying: int


@dataclass
class Till:
    """A ledger with the folder of its leases."""

    ledger: Ledger
    folder: Path

    def open(self, cap: int | None, clock: Clock) -> tuple[Purse, Lease]:
        lease = self.ledger.open_lease(DAY)
        return Purse(self.ledger, lease, DAY, cap, clock), lease

    def counters(self, lease: Lease) -> Counters:
        return Counters(*struct.unpack("qq", (self.folder / lease.id).read_bytes()))


@contextmanager
def open_till(folder: Path, kind: type[Ledger] = Ledger) -> Generator[Till]:
    with open_store(folder / "swarm.db") as store:
        yield Till(kind(store), folder / "leases")

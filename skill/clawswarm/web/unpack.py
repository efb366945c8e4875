"""Packed bodies, unpacked by hand: whatever is inside, no more of it comes out than was asked for."""

import zlib
from typing import Any

from clawswarm.web.address_guard import PageError

ACCEPTED = "gzip, deflate"
"""What is asked for: both can be unpacked in bounded pieces."""
MOST_MEMBERS = 1000
"""Files that one gzip stream may hold, one after the other. Empty ones cost time and count for nothing."""

_AUTOMATIC = 32 + zlib.MAX_WBITS
"""gzip or zlib, by the first bytes."""
_GZIP = b"\x1f\x8b"


class Body:
    """Collects a body up to `limit` bytes, packed and unpacked.

    The packed bytes are counted, too: a stream that unpacks to nothing would never reach the other bound.

    Attributes:
        cut: whether the bound was reached and the rest left, or the packing breaks off.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        packing = encoding.strip().lower()
        if packing not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise PageError(f"the page is packed in a way that was not asked for ({ACCEPTED} was)")
        self._packing = "" if packing == "identity" else packing
        self._limit = limit
        self._left = limit
        self._arrived = 0
        self._unpacker: Any = None
        self._members = 0
        self._first = b""
        self._parts: list[bytes] = []
        self.cut = False

    @property
    def data(self) -> bytes:
        return b"".join(self._parts)

    def add(self, chunk: bytes) -> bool:
        """Take the next piece; whether more is wanted.

        Raises:
            PageError: it cannot be unpacked.
        """
        self._arrived += len(chunk)
        if self._packing:
            self._unpack(chunk)
        else:
            self._keep(chunk)
        if self._left <= 0 or self._arrived >= self._limit or self._members > MOST_MEMBERS:
            self.cut = True
        return not self.cut

    def end(self) -> None:
        """Nothing more comes."""
        if self._unpacker is not None:
            self.cut = True

    def _keep(self, data: bytes) -> None:
        kept = data[: self._left]
        self._left -= len(kept)
        if kept:
            self._parts.append(kept)

    def _unpack(self, chunk: bytes) -> None:
        data, self._first = self._first + chunk, b""
        while data and self._left > 0 and self._members <= MOST_MEMBERS:
            if self._unpacker is None:
                if len(data) < len(_GZIP):
                    self._first = data
                    return
                if self._members and not data.startswith(_GZIP):
                    return  # filling behind the end
                self._unpacker = zlib.decompressobj(self._wbits(data))
                self._members += 1
            try:
                self._keep(self._unpacker.decompress(data, self._left))
            except zlib.error as error:
                raise PageError(f"the page cannot be unpacked: {error}") from None
            data = b""
            if self._unpacker.eof:
                data = self._unpacker.unused_data
                self._unpacker = None

    def _wbits(self, data: bytes) -> int:
        """How `data` is packed. Some servers send "deflate" without the two bytes that belong in front."""
        zlib_header = data[0] & 0x0F == zlib.DEFLATED and (data[0] << 8 | data[1]) % 31 == 0
        bare = self._packing == "deflate" and not zlib_header and not data.startswith(_GZIP)
        return -zlib.MAX_WBITS if bare else _AUTOMATIC

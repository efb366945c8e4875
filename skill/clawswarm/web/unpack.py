"""Packed bodies, unpacked by hand: whatever is inside, no more of it comes out than was asked for."""

import zlib

from clawswarm.web.address_guard import PageError

ACCEPTED = "gzip, deflate"
"""What is asked for: both can be unpacked in bounded pieces."""

_AUTOMATIC = 32 + zlib.MAX_WBITS
"""gzip or zlib, by the first bytes."""


class Body:
    """Collects a body up to `limit` bytes, packed and unpacked.

    The packed bytes are counted, too: a stream that unpacks to nothing would never reach the other bound.

    Attributes:
        cut: whether the bound was reached and the rest left.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._packing = encoding.strip().lower()
        if self._packing not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise PageError(f"the page is packed as {encoding[:40]!r}, which was not asked for")
        self._limit = limit
        self._left = limit
        self._arrived = 0
        self._unpacker = None if self._packing in ("", "identity") else zlib.decompressobj(_AUTOMATIC)
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
        self._keep(chunk if self._unpacker is None else self._unpacked(chunk))
        if self._left <= 0 or self._arrived >= self._limit:
            self.cut = True
        return not self.cut

    def _keep(self, data: bytes) -> None:
        kept = data[: self._left]
        self._left -= len(kept)
        if kept:
            self._parts.append(kept)

    def _unpacked(self, chunk: bytes) -> bytes:
        unpacker = self._unpacker
        if unpacker is None or unpacker.eof or self._left <= 0:
            return b""
        try:
            return unpacker.decompress(chunk, self._left)
        except zlib.error as error:
            if self._packing != "deflate" or self._arrived != len(chunk):
                raise PageError(f"the page cannot be unpacked: {error}") from None
        # Some servers send "deflate" without the two bytes in front that the standard asks for.
        self._unpacker = bare = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return bare.decompress(chunk, self._left)
        except zlib.error as error:
            raise PageError(f"the page cannot be unpacked: {error}") from None

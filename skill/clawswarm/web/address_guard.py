"""Which addresses a page may be fetched from: public ones, and nothing that only this machine can reach.

A page's address comes from strangers (search results, redirects), so a request for it must never end at a
service of this machine, of its network or of its cloud. A URL is judged before it is used, and every address
is judged again when it is connected to: a name may resolve to something else a moment later.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from yarl import URL

from clawswarm.errors import SwarmError

IPAddress = IPv4Address | IPv6Address

LONGEST_URL = 4096
PORTS = (80, 443)

# Written out, not asked of `ipaddress`: what it calls private has changed between releases of Python.
_CLOSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers and overlay networks; one cloud's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's metadata, on an address that looks public
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; one cloud's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
"""Everything outside is private, link-local, multicast or not given out."""
_CLOSED_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; Teredo, which carries an IPv4 address inside
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address inside
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
"""How a network without IPv4 reaches IPv4: the address inside counts."""


_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?")


class PageError(SwarmError):
    """One page cannot be had; the message says why, in words."""

    code = "page_unreadable"


def is_public(address: IPAddress) -> bool:
    """Whether `address` is one that anybody on the internet can reach."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    if (inner := _inner(address)) is not None:
        return is_public(inner)
    return address in _GLOBAL_V6 and not any(address in network for network in _CLOSED_V6)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a connection to `address` would end at."""
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


@dataclass(frozen=True, slots=True)
class Guard:
    """Says no, with the reason.

    Attributes:
        allow_loopback: for tests: this machine counts as public, on any port. Private addresses do not.
    """

    allow_loopback: bool = False

    def allows(self, address: IPAddress) -> bool:
        if self.allow_loopback:
            inner = _inner(address) if isinstance(address, IPv6Address) else None
            if (inner or address).is_loopback:
                return True
        return is_public(address)

    def check_address(self, host: str) -> None:
        """Return if a connection to the IP address `host` is allowed.

        Raises:
            PageError: it is not, or it is no IP address.
        """
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            raise PageError(f"refused: {host!r} is no IP address") from None
        if "%" in host or not self.allows(address):
            raise PageError(f"refused: {host} is not a public address")

    def check_url(self, url: URL) -> None:
        """Return if `url` may be asked for; the addresses behind its name are judged later.

        Raises:
            PageError: its scheme, port, host or length is not allowed, or it holds a login.
        """
        if len(str(url)) > LONGEST_URL:
            raise PageError(f"refused: the address is longer than {LONGEST_URL} characters")
        if url.scheme not in ("http", "https"):
            raise PageError(f"refused: {url.scheme[:20] or 'no scheme'!r} is not http or https")
        if url.raw_user is not None or url.raw_password is not None:
            raise PageError("refused: the address holds a login")
        if not (host := url.raw_host):
            raise PageError("refused: the address names no host")
        if ":" not in host and not _NAME.fullmatch(host):
            raise PageError(f"refused: {host[:100]!r} is no name of a host")
        if url.port not in PORTS and not self.allow_loopback:
            raise PageError(f"refused: port {url.port} is not one of a public website")
        if (literal := _literal(host)) is not None:
            self.check_address(literal)

    def checked(self, text: str, base: URL | None = None) -> URL:
        """`text` as a URL that may be asked for, its fragment left out.

        Args:
            base: what a relative address, as in a redirect, counts from.

        Raises:
            PageError: it may not, or it cannot be read.
        """
        try:
            url = URL(text.strip())
            url = (url if base is None else base.join(url)).with_fragment(None)
            self.check_url(url)
        except (ValueError, TypeError):
            raise PageError("refused: the address cannot be read") from None
        return url


def _literal(host: str) -> str | None:
    """`host` as an IP address if it is one in any spelling (127.1, 0x7f000001, 2130706433); None for a name.

    Raises:
        PageError: it ends in a number, as an address does, and is none.
    """
    bare = host.strip("[]").rstrip(".")
    if ":" in bare:
        return bare
    last = bare.rpartition(".")[2].lower()
    if not (last.isdigit() or last.startswith("0x")):
        return None
    try:
        return str(IPv4Address(socket.inet_aton(bare)))
    except OSError:
        raise PageError(f"refused: {host!r} is neither a name nor an address") from None

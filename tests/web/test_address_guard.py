"""Which addresses a page may come from, in whatever way they are written."""

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from clawswarm.web.address_guard import LONGEST_URL, Guard, PageError, is_public

GUARD = Guard()
OPEN = Guard(allow_loopback=True)

_CLOSED = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16
    169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1
    192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
    239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::2 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1::1
    2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 2002:a9fe:a9fe:: 3fff::1 4000::1 5f00::1
    fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fec0::1 ff02::1 ff0e::1
"""
_PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 168.63.129.15
    169.253.255.255 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 198.17.255.255 198.20.0.1
    223.255.255.255 2606:4700:4700::1111 2a00:1450:4001:81b::200e 2001:4860:4860::8888 2400:cb00::1 2003::1
    ::ffff:8.8.8.8 64:ff9b::808:808
"""
CLOSED, PUBLIC = _CLOSED.split(), _PUBLIC.split()


@pytest.mark.parametrize("text", CLOSED)
def test_an_address_that_only_some_can_reach_is_closed(text: str) -> None:
    assert not is_public(ip_address(text))
    with pytest.raises(PageError, match="not a public address"):
        GUARD.check_address(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_internet_is_open(text: str) -> None:
    assert is_public(ip_address(text))
    GUARD.check_address(text)


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: IPv4Address | IPv6Address) -> None:
    carried = isinstance(address, IPv6Address) and (
        address.ipv4_mapped or int(address) >> 32 == 0x64FF9B << 64
    )
    if is_public(address) and not carried:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_counts_as_itself(inner: IPv4Address) -> None:
    number = int(inner)
    assert is_public(IPv6Address(0xFFFF << 32 | number)) == is_public(inner)
    assert is_public(IPv6Address(0x64FF9B << 96 | number)) == is_public(inner)
    assert not is_public(IPv6Address(0x2002 << 112 | number << 80 | 1))  # 6to4
    assert not is_public(IPv6Address(0x20010000 << 96 | number))  # Teredo
    assert not is_public(IPv6Address(number))  # the oldest kind


def _spellings(address: IPv4Address) -> list[str]:
    """Ways to write an address that a resolver understands."""
    number, (a, b, c, d) = int(address), address.packed
    short = number & 0xFFFF
    return [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{b}.{short}",
        f"{a}.{number & 0xFFFFFF}",
        f"0x{a:X}.{b}.0{c:o}.{d}",
        f"{a}.{b}.0x{short:x}",
        f"{a:04o}.{b}.{c}.{d}",
    ]


dots = st.sampled_from([".", "。", "．", "｡", "%2e"])
closed_v4 = st.sampled_from([IPv4Address(text) for text in CLOSED if ":" not in text])


@given(closed_v4 | st.ip_addresses(v=4, network="10.0.0.0/8"), st.data())
def test_no_spelling_of_a_closed_address_passes(address: IPv4Address, data: st.DataObject) -> None:
    host = data.draw(st.sampled_from(_spellings(address)))
    host = host.replace(".", data.draw(dots)) + data.draw(st.sampled_from(["", ".", ":80", ":443"]))
    wide = data.draw(st.booleans())
    host = "".join(chr(ord(mark) + 0xFEE0) if wide and mark.isdigit() else mark for mark in host)
    scheme = data.draw(st.sampled_from(["http", "https", "HTTP", "hTTps"]))
    with pytest.raises(PageError, match="refused"):
        GUARD.checked(f"{scheme}://{host}/path")


@given(st.ip_addresses(v=4).filter(is_public))
def test_a_public_address_passes_in_its_usual_spelling_only_as_itself(address: IPv4Address) -> None:
    for spelling in _spellings(address):
        try:
            found = GUARD.checked(f"http://{spelling}/")
        except PageError:
            continue
        assert IPv4Address(socket.inet_aton(found.raw_host or "")) == address
    assert GUARD.checked(f"http://{address}/").host == str(address)


@given(st.sampled_from([text for text in CLOSED if ":" in text]), st.sampled_from(["", ":80", ":443"]))
def test_closed_addresses_in_brackets_do_not_pass(text: str, port: str) -> None:
    for spelling in (text, text.upper(), ip_address(text).exploded):
        with pytest.raises(PageError):
            GUARD.checked(f"http://[{spelling}]{port}/")


@pytest.mark.parametrize("zone", ["%eth0", "%25eth0", "%1", "%25lo"])
@pytest.mark.parametrize("address", ["fe80::1", "::1", "2606:4700:4700::1111"])
def test_an_address_with_a_zone_is_not_public(address: str, zone: str) -> None:
    with pytest.raises(PageError):
        GUARD.checked(f"http://[{address}{zone}]/")
    with pytest.raises(PageError):
        OPEN.check_address(f"{address}{zone}")


@pytest.mark.parametrize(
    "url",
    [
        "http://user@news.example/",
        "http://user:pass@news.example/",
        "http://:pass@news.example/",
        "http://news.example@127.0.0.1/",
        "http://news.example\\@127.0.0.1/",
        "http://127.0.0.1\\@news.example/",
        "http://news.example:80@127.0.0.1/",
        "http://127.0.0.1#@news.example/",
        "http://127.0.0.1?@news.example/",
        "http:\\\\127.0.0.1\\",
        "http:///127.0.0.1/",
        "http:127.0.0.1",
        "//127.0.0.1/",
        "127.0.0.1",
        "ftp://news.example/",
        "file:///etc/passwd",
        "gopher://news.example/",
        "data:text/html,hello",
        "javascript:alert(1)",
        "ws://news.example/",
        "view-source:http://news.example/",
        "http://news.example:22/",
        "http://news.example:8080/",
        "http://news.example:0/",
        "http://news.example:99999/",
        "http://news.example:x/",
        "http://",
        "http://:80/",
        "http://[::1",
        "http://[127.0.0.1]/",
        "http://127.0.0.1%00.news.example/",
        "http://news%2eexample:80%40127.0.0.1/",
        "http://news example/",
        "http://127.0\n.0.1/",
        "http://-/",
        "http://1.2.3.4.5/",
        "http://256.256.256.256/",
        "http://0x/",
        "http://news.0x7f/",
        f"http://news.example/{'a' * LONGEST_URL}",
        "",
        " ",
    ],
)
def test_odd_addresses_are_refused(url: str) -> None:
    with pytest.raises(PageError, match="refused"):
        GUARD.checked(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://news.example", "news.example"),
        ("https://news.example:443/a?b=c#d", "news.example"),
        ("  https://NEWS.example./a ", "news.example."),
        ("http://bücher.example/ü", "xn--bcher-kva.example"),
        ("http://sub_domain.news.example/", "sub_domain.news.example"),
        ("http://127.0.0.1.news.example/", "127.0.0.1.news.example"),
        ("http://[2606:4700:4700::1111]/", "2606:4700:4700::1111"),
    ],
)
def test_ordinary_addresses_pass_without_their_fragment(url: str, host: str) -> None:
    found = GUARD.checked(url)
    assert (found.raw_host, found.fragment) == (host, "")


@given(st.text(max_size=60))
@example("http://\udcff/")
@example("http://[::1]%")
@example("//")
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for written in (text, f"http://{text}", f"http://news.example/{text}"):
        for base in (None, URL("http://news.example/a/b")):
            with suppress(PageError):
                found = GUARD.checked(written, base)
                assert found.scheme in ("http", "https")
                assert found.raw_host


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_the_setting_for_tests_opens_this_machine_and_nothing_else(text: str) -> None:
    OPEN.check_address(text)
    OPEN.checked("http://127.0.0.1:8080/")
    OPEN.checked("http://localhost:1/")
    for closed in set(CLOSED) - {
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    }:
        with pytest.raises(PageError):
            OPEN.check_address(closed)


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1:80", "[::1]", "1.2.3", "x" * 300])
def test_only_an_address_is_an_address(host: str) -> None:
    with pytest.raises(PageError, match="no IP address"):
        OPEN.check_address(host)

"""Names that one reader takes for an allowed host and another for the attacker's: CONNECT. Judged by who was dialled."""

from __future__ import annotations

from .base import Judge, Target, attack, each
from .wire import connect, tell

_NAMES: dict[str, object] = {
    "plainly the attacker's": "{evil}:443",
    "NUL behind it": "{evil}\0.{wild}:443",
    "NUL before it": "{vendor}\0.{evil}:443",
    "encoded NUL": "{evil}%00.{wild}:443",
    "user@": "{vendor}@{evil}:443",
    "user:password@": "{vendor}:443@{evil}:443",
    "fragment": "{evil}#.{wild}:443",
    "question mark": "{evil}?.{wild}:443",
    "slash": "{evil}/.{wild}:443",
    "port twice": "{evil}:443/.{wild}:443",
    "backslash": "{evil}\\.{wild}:443",
    "semicolon": "{evil};.{wild}:443",
    "comma": "{evil},{vendor}:443",
    "suffix without a dot": "a{number}.not{wild}:443",
    "prefix": "{vendor}.{evil}:443",
    "hyphen for a dot": "a{number}.{evil_dashed}:443",
    "two dots": "{evil}..{wild}:443",
    "leading dot": ".{evil}:443",
    "trailing dot": "{evil}.:443",
    "asterisk": "*.{evil}:443",
    "homograph (Greek o)": "a{number}.\u03bfther.example:443",
    "its A-label": "a{number}.xn--ther-tce.example:443",
    "A-label that decodes to ASCII": "a{number}.xn--evil-.example:443",
    "full-width letters": "a{number}.\uff45vil.example:443",
    "ideographic dots": "a{number}\u3002evil\u3002example:443",
    "soft hyphen": "a{number}.ev\u00adil.example:443",
    "denied, upper case": "a{number}.{denied_upper}:443",
    "denied, trailing dot": "a{number}.{denied}.:443",
    "denied, ideographic dots": "a{number}.{denied_ideographic}:443",
    "denied, full-width letter": "a{number}.{denied_wide}:443",
    "denied, encoded letter": "a{number}.{denied_encoded}:443",
    "denied, sharp s and joiners": "a{number}.\u200d{denied}:443",
    "a label of 64": "{evil_long_label}:443",
    "a name of 300": "{evil_long}:443",
    "line end": "{vendor}:443\r\nHost: {evil}:443",
    "line end and a second request": "{vendor}:443 HTTP/1.1\r\n\r\nCONNECT {evil}:443",
    "space and a second target": "{vendor}:443 {evil}:443",
    "tab": "{evil}:443\t{vendor}:443",
    "URL": "http://{evil}:443/",
    "scheme": "https://{vendor}@{evil}:443",
}


@each(Judge.PACKET, "CONNECT", _NAMES)
def name(target: Target, case: object) -> str:
    world = target.world
    text = str(case).format(
        evil=target.name,
        vendor=world.vendor,
        wild=world.wild,
        number=target.number,
        denied=world.denied,
        evil_dashed=world.evil.replace(".", "-"),
        denied_upper=world.denied.upper(),
        denied_ideographic=world.denied.replace(".", "\u3002"),
        denied_wide=world.denied.replace("e", "\uff45", 1),
        denied_encoded=world.denied.replace("e", "%65", 1),
        evil_long_label=f"{'x' * 64}.{target.name}",
        evil_long=f"{'.'.join(['x' * 60] * 5)}.{target.name}",
    )
    return connect(text, b"GET / HTTP/1.1\r\n\r\n")


_PORTS: dict[str, object] = {
    "22": "22",
    "80": "80",
    "0443 beyond 65535": "65979",
    "2 to the 32 and 443": "4294967739",
    "none": "",
    "negative": "-65093",
    "name of a service": "ssh",
    "plus": "+8443",
    "two": "443:22",
    "Arabic digits": "\u0662\u0662",
    "hexadecimal": "0x16",
}


@each(Judge.PACKET, "CONNECT to a port that is not allowed", _PORTS)
def port(target: Target, case: object) -> str:
    return connect(f"{target.wild}:{case}")


_LITERALS: dict[str, object] = {
    "IPv4": "{public}:443",
    "IPv6": "[{public6}]:443",
    "IPv6 without brackets": "{public6}:443",
    "mapped": "[::ffff:{public}]:443",
    "decimal": "{decimal}:443",
    "hexadecimal": "{hexadecimal}:443",
    "octal": "{octal}:443",
    "three parts": "{short}:443",
    "zone": "[{public6}%25lo]:443",
    "trailing dot": "{public}.:443",
    "zeros in front": "{zeros}:443",
    "loopback": "127.0.0.1:{port}",
    "loopback, short": "127.1:{port}",
    "loopback, as zero": "0:{port}",
    "loopback, IPv6": "[::1]:{port}",
    "loopback, mapped": "[::ffff:127.0.0.1]:{port}",
    "localhost": "localhost:{port}",
    "localhost with a dot": "localhost.:{port}",
    "a name below localhost": "qg.localhost:{port}",
    "private": "{private}:443",
    "NAT64": "[64:ff9b::{nat64}]:443",
}


@each(Judge.PACKET, "CONNECT to an address", _LITERALS)
def literal(target: Target, case: object) -> str:
    parts = [int(part) for part in target.public.split(".")]
    whole = int.from_bytes(bytes(parts), "big")
    text = str(case).format(
        public=target.public,
        public6=target.public6,
        decimal=whole,
        hexadecimal=hex(whole),
        octal=".".join(f"0{part:o}" for part in parts),
        short=f"{parts[0]}.{parts[1]}.{parts[2] * 256 + parts[3]}",
        zeros=".".join(f"{part:04}" for part in parts) if max(parts) < 8 else f"044.066.{parts[2]}.{parts[3]}",
        port=target.port,
        private=target.at("10.66"),
        nat64=f"{whole >> 16:x}:{whole & 0xFFFF:x}",
    )
    return connect(text)


_HEADS: dict[str, object] = {
    "other Host": b"CONNECT %v:443 HTTP/1.1\r\nHost: %e:443\r\n\r\n",
    "other Host only": b"CONNECT / HTTP/1.1\r\nHost: %e:443\r\n\r\n",
    "two Hosts": b"CONNECT %v:443 HTTP/1.1\r\nHost: %v\r\nHost: %e:443\r\n\r\n",
    "bare line ends": b"CONNECT %e:443 HTTP/1.1\nHost: %v:443\n\n",
    "bare carriage returns": b"CONNECT %v:443 HTTP/1.1\rCONNECT %e:443 HTTP/1.1\r\n\r\n",
    "line ends in front": b"\r\n\r\nCONNECT %e:443 HTTP/1.1\r\nHost: %v\r\n\r\n",
    "small letters": b"connect %e:443 HTTP/1.1\r\nHost: %v\r\n\r\n",
    "HTTP/1.0 without a Host": b"CONNECT %e:443 HTTP/1.0\r\n\r\n",
    "HTTP/0.9": b"CONNECT %e:443\r\n",
    "HTTP/2.0": b"CONNECT %e:443 HTTP/2.0\r\n\r\n",
    "folded header": b"CONNECT %v:443 HTTP/1.1\r\nX: a\r\n b\r\nHost: %e:443\r\n\r\n",
    "space before a colon": b"CONNECT %v:443 HTTP/1.1\r\nHost : %e:443\r\n\r\n",
    "forwarded for another": b"CONNECT %e:443 HTTP/1.1\r\nHost: %v\r\nX-Forwarded-Host: %v\r\nX-Original-URL: %v\r\n\r\n",
    "a password of the proxy": b"CONNECT %e:443 HTTP/1.1\r\nHost: %e\r\nProxy-Authorization: Basic cWc6cWc=\r\n\r\n",
    "with a body": b"CONNECT %v:443 HTTP/1.1\r\nHost: %v\r\nContent-Length: 40\r\n\r\nCONNECT %e:443 HTTP/1.1\r\nHost: %e\r\n\r\n",
    "a refused one first": b"CONNECT x.%e:22 HTTP/1.1\r\nHost: x\r\n\r\nCONNECT %e:443 HTTP/1.1\r\nHost: %e\r\n\r\n",
    "SOCKS 5": b"\x05\x01\x00\x05\x01\x00\x03%l%e\x01\xbb",
    "SOCKS 4a": b"\x04\x01\x01\xbb\x00\x00\x00\x01\0%e\0",
    "PROXY protocol": b"PROXY TCP4 127.0.0.1 %a 1 443\r\nCONNECT %e:443 HTTP/1.1\r\nHost: %e\r\n\r\n",
    "HTTP/2 with prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
}


@each(Judge.PACKET, "CONNECT, its head", _HEADS)
def head(target: Target, case: object) -> str:
    data = bytes(case)  # type: ignore[call-overload]
    name_ = target.name.encode()
    for mark, value in (
        (b"%v", target.world.vendor.encode()),
        (b"%e", name_),
        (b"%l", bytes((len(name_),))),
        (b"%a", target.public.encode()),
    ):
        data = data.replace(mark, value)
    return tell(data, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


@attack(Judge.PACKET, "CONNECT byte by byte, the name changed on the way (a second one behind)")
def slowly(target: Target) -> str:
    data = f"CONNECT {target.world.vendor}:443 HTTP/1.1\r\n\r\nCONNECT {target.name}:443 HTTP/1.1\r\n\r\n"
    return tell(data.encode(), pieces=1)

# SPDX-License-Identifier: Apache-2.0
"""Makes requests, most of them almost right: a grammar, then mutations. The same seed makes the same requests."""
import random

METHODS = ["GET"] * 6 + ["POST"] * 6 + ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "M-SEARCH", "X!#$"]
BAD_METHODS = ["TRACE", "CONNECT", "G@T", "", "M" * 33]
SEGMENTS = ["a", "b.html", ".", "", "%41", "%c3%a9", "%ff", "a;b=c", "a+b", "~x", "a|b", "...", "%2541"]
BAD_SEGMENTS = ["..", "%2e%2e", "%2f", "%00", "%zz", "%5c", "a\\b", "a<b", "a#b"]
QUERIES = ["", "?", "?a=b", "?a=%zz", "?a?b/c", "?{}"]
BAD_QUERIES = ['?"', "?<", "?a#b"]
HOSTS = ["a"] * 4 + ["a.test", "A.Test:80", "a:", "a:0", "[::1]", "[::1]:8080", "127.0.0.1", "a_b"]
BAD_HOSTS = ["a:99999", "", "a b", "u@a", "a,b", "a..b", "a/b", "[::g]"]
VERSIONS = ["1.1"] * 14 + ["1.0"] * 5 + ["1.2", "1.9"]
BAD_VERSIONS = ["0.9", "2.0", "1.", "1.10", "x.1"]
VALUES = ["b", "", "a b", "a\tb", " b ", "\tb\t", "caf\xe9", "a:b", "\"q\"", "1, 2"]
BAD_VALUES = ["a\x01b", "\x7f", "a\x0bb", "\x1f"]
NAMES = ["X", "x-y", "Accept", "Cookie", "User-Agent", "Authorization", "X_Y", "!#$%&'*+-.^_`|~", "Upgrade", "TE", "Keep-Alive", "Date",
         "X-Forwarded-For", "Forwarded", "Luttpd-Tag", "Trailer", "Proxy-Connection"]
BAD_NAMES = ["", "Content_Length", "X Y", "X ", "X\t", "\xe9", "X(Y)", "X\0", '"X"']
CONNECTIONS = ["close", "keep-alive", "Close", "x", "x, close", "keep-alive, close", "", ",", "te", "upgrade"]
BAD_CONNECTIONS = ["host", "cookie", "a b", "content-length"]
EXPECTS = ["100-continue", "100-Continue"]
BAD_EXPECTS = ["coffee", "100-continue, coffee", ""]
CODINGS = ["chunked"] * 12 + ["Chunked", "CHUNKED "]
BAD_CODINGS = ["gzip", "gzip, chunked", "chunked, chunked", "identity", "", "chunked,", "chunked;a", "\x0bchunked", "xchunked"]
EXTENSIONS = [""] * 8 + [";a", ";a=b", ';a="b;c"', " ;a", ";a = b", "; a"]
BAD_EXTENSIONS = [" ", "\t", ";", ";a=", ';a="b', ";a\0", ";\xe9", ";a\rb"]
TRAILERS = [""] * 8 + ["X: y\r\n", "X: y\r\nZ: \r\n", "Cookie: a\r\n"]
BAD_TRAILERS = ["Content-Length: 9\r\n", "Host: b\r\n", "X : y\r\n", "X: y\r\n z\r\n", "x\r\n", "X: \x01\r\n"]
PIECES = ["\r\n", "\n", "\r", " ", "\t", "\0", ":", ",", ";", "\r\n\r\n", "\r\n ", "0", "5", "f", "\x7f", "\x80", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
          "Host: b\r\n", "Content-Length: 0\r\n", "HTTP/1.1", "chunked", "%", "/"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, things):
        return self.random.choice(things)

    def rarely(self, odds):
        return self.random.random() < 1 / odds

    def mostly(self, good, bad, odds=60):
        return self.pick(bad if self.rarely(odds) else good)

    def target(self):
        segments = (self.mostly(SEGMENTS, BAD_SEGMENTS) for _ in range(self.random.randrange(4)))
        whole = "/" + "/".join(segments) + self.mostly(QUERIES, BAD_QUERIES)
        if self.rarely(8):
            whole = self.mostly(["http://", "HTTP://", "https://"], ["ftp://", "http:/", ""], 12) + self.mostly(HOSTS, BAD_HOSTS) + whole
        return self.pick(["*", "a", "a:80", "?a", "//a", "**"]) if self.rarely(50) else whole

    def chunks(self, content):
        text, at = "", 0
        while at < len(content):
            size = self.random.randrange(1, 12)
            part = content[at:at + size]
            digits = self.pick(["%x", "%X", "%03x"]) % len(part)
            if self.rarely(100):
                digits = self.pick(["", "g", "+1", "-1", "0x1", " 1", "1 ", "f" * 16, "8" + "0" * 15, "0" * 17 + "1", "0" * 21, "1_0"])
            text += digits + self.mostly(EXTENSIONS, BAD_EXTENSIONS) + "\r\n" + part + ("\r\n" if not self.rarely(120) else self.pick(["\n", "\r", "XX", "", "\r\r\n"]))
            at += size
        last = self.mostly(["0", "000", "0;a"], ["0 ", "0 ;a", "0;"])
        return text + last + "\r\n" + self.mostly(TRAILERS, BAD_TRAILERS, 20) + "\r\n"

    def framing(self):
        """(field lines, the body as sent)"""
        kind = self.random.randrange(12)
        content = "".join(self.pick(["a", "b", "\r\n", "\0", "0", "\xff", "GET / HTTP/1.1\r\n"]) for _ in range(self.random.randrange(12)))
        if kind < 4:
            return [], ""
        if kind < 7:
            length = str(len(content))
            if self.rarely(20):
                length = self.pick(["+" + length, "-" + length, length + " ", " " + length, length + "," + length, length + ", 1", "0" + length, "0x" + length,
                                    "", length + ";", length + "a", "9" * 19, "9" * 30, str(2**63), str(2**64 + len(content))])
            lines = [f"Content-Length: {length}"]
            return lines * (2 if self.rarely(20) else 1), content
        lines = [f"Transfer-Encoding: {self.mostly(CODINGS, BAD_CODINGS, 20)}"]
        if self.rarely(40):
            lines.insert(self.random.randrange(2), f"Content-Length: {len(content)}")
        return lines * (2 if self.rarely(30) else 1), self.chunks(content)

    def fields(self):
        lines = []
        for _ in range(self.random.randrange(4)):
            lines.append(self.mostly(NAMES, BAD_NAMES) + ":" + self.pick([" ", "", "  ", "\t"]) + self.mostly(VALUES, BAD_VALUES))
        if self.rarely(4):
            lines.append("Connection: " + self.mostly(CONNECTIONS, BAD_CONNECTIONS, 20))
        if self.rarely(12):
            lines.append("Expect: " + self.mostly(EXPECTS, BAD_EXPECTS, 6))
        if not self.rarely(50):
            lines.insert(0, self.pick(["Host: ", "host:", "HOST: "]) + self.mostly(HOSTS, BAD_HOSTS))
        if self.rarely(100):
            lines.append("Host: a")
        if self.rarely(100):
            lines.append(" folded")
        return lines

    def whole(self):
        framing, body = self.framing()
        lines = self.fields() + framing
        if self.rarely(3):
            self.random.shuffle(lines)
        line = f"{self.mostly(METHODS, BAD_METHODS)} {self.target()} HTTP/{self.mostly(VERSIONS, BAD_VERSIONS)}"
        before = "" if not self.rarely(60) else self.pick(["\r\n", "\r\n", "\n", "\r\n\r\n", "\r", " "])
        behind = "" if not self.rarely(4) else "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        return before + "\r\n".join([line, *lines]) + "\r\n\r\n" + body + behind

    def mutate(self, text):
        at = self.random.randrange(len(text))
        kind = self.random.randrange(6)
        if kind == 0:
            return text[:at] + chr(self.random.randrange(256)) + text[at + 1:]
        if kind == 1:
            return text[:at] + text[at + 1 + self.random.randrange(4):]
        if kind == 2:
            return text[:at] + self.pick(PIECES) + text[at:]
        if kind == 3:
            return text[:at]
        if kind == 4:
            return text.replace("\r\n", "\n", self.random.randrange(1, 4))
        end = at + self.random.randrange(20)
        return text[:end] + text[at:end] + text[end:]

    def request(self):
        text = self.whole()
        while self.rarely(4) and text:
            text = self.mutate(text)
        return text.encode("latin-1")


def requests(seed, count):
    maker = Maker(seed)
    return [maker.request() for _ in range(count)]

# SPDX-License-Identifier: Apache-2.0
"""The one canonical form of a path: RFC 3986 sections 2.1, 5.2.4 and 6.2.2, RFC 9110 section 4.2.3."""
from conformance.case import Case, get, refused, seen


def becomes(name, why, raw, path):
    return Case(name, why, get(raw), seen(path=path, raw_path=raw))


def refuse(name, why, raw):
    return Case(name, why, get(raw), refused(400))


CASES = [
    becomes("escape", "3986 6.2.2.2", "/%41%7a", "/Az"),
    becomes("escape-lower-hex", "3986 2.1", "/%4a", "/J"),
    becomes("tilde", "9110 4.2.3", "/%7Eann/", "/~ann/"),
    becomes("once", "3986 2.4: never decoded twice", "/%2541", "/%41"),
    becomes("once-dots", "attack: double decoding", "/%252e%252e/etc", "/%2e%2e/etc"),
    becomes("once-slash", "attack: double decoding", "/a%252fb", "/a%2fb"),
    becomes("escaped-space", "3986 2.1", "/a%20b", "/a b"),
    becomes("escaped-question", "3986 2.2: no query begins there", "/a%3fb", "/a?b"),
    becomes("escaped-hash", "3986 2.2", "/a%23b", "/a#b"),
    becomes("escaped-percent", "3986 2.4", "/100%25", "/100%"),
    becomes("plus", "3986 2.2: only forms take it for a space", "/a+b", "/a+b"),
    becomes("semicolon", "3986 3.3: parameters stay", "/a;b=c/d", "/a;b=c/d"),
    becomes("sub-delimiters", "3986 3.3", "/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"),
    becomes("utf8", "3986 2.5", "/%c3%a9", "/<c3><a9>"),
    becomes("dot", "3986 5.2.4", "/a/./b", "/a/b"),
    becomes("dot-last", "3986 5.2.4", "/a/.", "/a/"),
    becomes("dots", "3986 5.2.4", "/a/../b", "/b"),
    becomes("dots-last", "3986 5.2.4", "/a/b/..", "/a/"),
    becomes("dots-to-root", "3986 5.2.4", "/a/..", "/"),
    becomes("dots-twice", "3986 5.2.4", "/a/b/c/../../d", "/a/d"),
    becomes("escaped-dot", "3986 6.2.2: an escaped dot is a dot", "/a/%2e/b", "/a/b"),
    becomes("escaped-dots", "3986 6.2.2", "/a/%2e%2E/b", "/b"),
    becomes("half-escaped-dots", "3986 6.2.2", "/a/.%2e/b", "/b"),
    becomes("three-dots", "3986 5.2.4: a name", "/.../a", "/.../a"),
    becomes("dot-name", "3986 5.2.4", "/.a/..b/c..", "/.a/..b/c.."),
    becomes("two-slashes", "attack: rules for /a that //a avoids", "//a", "/a"),
    becomes("many-slashes", "attack: rules for /a that //a avoids", "///a////b//", "/a/b/"),
    becomes("dots-over-slashes", "attack: //../ counts as one step", "/a//../b", "/b"),
    becomes("pipe", "browsers send it as it is (WHATWG URL)", "/a|b^[c]", "/a|b^[c]"),
    refuse("above-root", "3986 5.2.4, attack: path traversal", "/.."),
    refuse("above-root-later", "attack: path traversal", "/a/../../b"),
    refuse("above-root-escaped", "attack: path traversal", "/%2e%2e/%2e%2e/etc/passwd"),
    refuse("above-root-slashes", "attack: path traversal", "//../a"),
    refuse("above-root-and-back", "attack: path traversal", "/../a"),
    refuse("escaped-slash", "3986 2.2: not the same as a slash, and taken for one", "/a%2fb"),
    refuse("escaped-slash-upper", "3986 2.2", "/a%2Fb"),
    refuse("escaped-traversal", "attack: path traversal", "/a/..%2f..%2fetc"),
    refuse("escaped-nul", "attack: names cut short by C", "/a%00.html"),
    refuse("escaped-crlf", "attack: lines forged by a decoded path", "/a%0d%0aX:%20b"),
    refuse("escaped-lf", "attack: lines forged by a decoded path", "/a%0a"),
    refuse("escaped-tab", "control bytes name no file of an honest site", "/a%09b"),
    refuse("escaped-escape", "attack: terminals that show a log", "/a%1b%5b2J"),
    refuse("escaped-del", "control bytes name no file of an honest site", "/a%7f"),
    refuse("backslash", "3986 3.3, attack: applications that take it for a slash", "/a\\b"),
    refuse("escaped-backslash", "attack: applications that take it for a slash", "/a%5c..%5cb"),
    refuse("broken-escape", "3986 2.1", "/%zz"),
    refuse("cut-escape", "3986 2.1", "/a%4"),
    refuse("empty-escape", "3986 2.1", "/a%"),
    refuse("unicode-escape", "3986 2.1, attack: %u of other servers", "/%u002e%u002e/"),
    refuse("spaced-escape", "3986 2.1", "/%+1"),
    refuse("quote", "3986 3.3", '/a"b'),
    refuse("angle", "3986 3.3", "/<a>"),
    refuse("grave", "3986 3.3", "/`a`"),
    refuse("braces", "3986 3.3", "/{a}"),
    # What is no UTF-8 is judged by policy; the default one lets it pass as bytes, and never as what it resembles
    becomes("overlong-slash", "3629 3, attack: overlong UTF-8", "/a%c0%afb", "/a<c0><af>b"),
    becomes("overlong-dots", "3629 3, attack: overlong UTF-8", "/%c0%ae%c0%ae/a", "/<c0><ae><c0><ae>/a"),
    becomes("overlong-nul", "3629 3, attack: overlong UTF-8", "/a%c0%80", "/a<c0><80>"),
    becomes("surrogate", "3629 3", "/%ed%a0%80", "/<ed><a0><80>"),
    becomes("lone-byte", "3629 3", "/%ff", "/<ff>"),
    becomes("cut-utf8", "3629 3", "/%c3", "/<c3>"),
    becomes("wide-slash", "attack: U+FF0F taken for a slash", "/a%ef%bc%8fb", "/a<ef><bc><8f>b"),
]

/* SPDX-License-Identifier: Apache-2.0 */
/* h1_chars.c – the tables of h1_chars.h.
 *
 * Path and query take what RFC 3986 sections 3.3 and 3.4 allow, and those printable bytes that
 * browsers send unescaped because the WHATWG URL standard tells them to: [ ] ^ | in both, and
 * { } \ ` in the query. Never: controls, space, double quote, angle brackets, #, bytes above 0x7e. */
#include "listener/h1_chars.h"

#define ANY (H1_CHAR_PATH | H1_CHAR_QUERY)

const uint8_t h1_chars[256] = {
    ['a' ... 'z'] = ANY | H1_CHAR_NAME,
    ['A' ... 'Z'] = ANY | H1_CHAR_NAME,
    ['0' ... '9'] = ANY | H1_CHAR_NAME | H1_CHAR_DIGIT,
    ['-'] = ANY | H1_CHAR_NAME,
    ['.'] = ANY | H1_CHAR_NAME,
    ['_'] = ANY | H1_CHAR_NAME,
    ['~'] = ANY | H1_CHAR_NAME,
    ['!'] = ANY,
    ['$'] = ANY,
    ['&'] = ANY,
    ['\''] = ANY,
    ['('] = ANY,
    [')'] = ANY,
    ['*'] = ANY,
    ['+'] = ANY,
    [','] = ANY,
    [';'] = ANY,
    ['='] = ANY,
    [':'] = ANY,
    ['@'] = ANY,
    ['/'] = ANY,
    ['%'] = ANY,
    ['['] = ANY,
    [']'] = ANY,
    ['^'] = ANY,
    ['|'] = ANY,
    ['?'] = H1_CHAR_QUERY,
    ['\\'] = H1_CHAR_QUERY,
    ['`'] = H1_CHAR_QUERY,
    ['{'] = H1_CHAR_QUERY,
    ['}'] = H1_CHAR_QUERY,
};

const uint8_t h1_token_lower[256] = {
    ['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'', ['*'] = '*', ['+'] = '+',
    ['-'] = '-', ['.'] = '.', ['^'] = '^', ['_'] = '_', ['`'] = '`', ['|'] = '|',   ['~'] = '~', ['0'] = '0',
    ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6',   ['7'] = '7', ['8'] = '8',
    ['9'] = '9', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e',   ['F'] = 'f', ['G'] = 'g',
    ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm',   ['N'] = 'n', ['O'] = 'o',
    ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u',   ['V'] = 'v', ['W'] = 'w',
    ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c',   ['d'] = 'd', ['e'] = 'e',
    ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',   ['l'] = 'l', ['m'] = 'm',
    ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's',   ['t'] = 't', ['u'] = 'u',
    ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

/* SPDX-License-Identifier: Apache-2.0 */
/* h1_extension.c – see h1_extension.h.
 *
 *   *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
 *
 * White space is bad there but to be borne, only not before the end of the line: nothing in the
 * grammar lets it stand there. */
#include "listener/h1_extension.h"
#include "listener/h1_chars.h"

enum kind { TOKEN, BLANK, SEMICOLON, EQUALS, QUOTE, BACKSLASH, CR, TEXT, CONTROL, KINDS };

enum state {
    BAD = H1_EXTENSION_BAD,
    END = H1_EXTENSION_END,
    NEXT = H1_EXTENSION_SEMICOLON, /* a semicolon must follow */
    BEFORE_NAME,
    NAME,
    AFTER_NAME,
    BEFORE_VALUE,
    VALUE,
    QUOTED,
    ESCAPED,
    AFTER_QUOTED,
    STATES
};

static const uint8_t table[STATES][KINDS] = {
    [NEXT] = {[BLANK] = NEXT, [SEMICOLON] = BEFORE_NAME},
    [BEFORE_NAME] = {[BLANK] = BEFORE_NAME, [TOKEN] = NAME},
    [NAME] = {[TOKEN] = NAME,
              [BLANK] = AFTER_NAME,
              [SEMICOLON] = BEFORE_NAME,
              [EQUALS] = BEFORE_VALUE,
              [CR] = END},
    [AFTER_NAME] = {[BLANK] = AFTER_NAME, [SEMICOLON] = BEFORE_NAME, [EQUALS] = BEFORE_VALUE},
    [BEFORE_VALUE] = {[BLANK] = BEFORE_VALUE, [TOKEN] = VALUE, [QUOTE] = QUOTED},
    [VALUE] = {[TOKEN] = VALUE, [BLANK] = NEXT, [SEMICOLON] = BEFORE_NAME, [CR] = END},
    [QUOTED] = {[TOKEN] = QUOTED,
                [BLANK] = QUOTED,
                [SEMICOLON] = QUOTED,
                [EQUALS] = QUOTED,
                [QUOTE] = AFTER_QUOTED,
                [BACKSLASH] = ESCAPED,
                [TEXT] = QUOTED},
    [ESCAPED] = {[TOKEN] = QUOTED,
                 [BLANK] = QUOTED,
                 [SEMICOLON] = QUOTED,
                 [EQUALS] = QUOTED,
                 [QUOTE] = QUOTED,
                 [BACKSLASH] = QUOTED,
                 [TEXT] = QUOTED},
    [AFTER_QUOTED] = {[BLANK] = NEXT, [SEMICOLON] = BEFORE_NAME, [CR] = END},
};

static enum kind kind_of(uint8_t byte) {
    switch (byte) {
    case ' ':
    case '\t':
        return BLANK;
    case ';':
        return SEMICOLON;
    case '=':
        return EQUALS;
    case '"':
        return QUOTE;
    case '\\':
        return BACKSLASH;
    case '\r':
        return CR;
    default:
        return h1_token_lower[byte] ? TOKEN : byte < 0x20 || byte == 0x7f ? CONTROL : TEXT;
    }
}

uint8_t h1_extension_next(uint8_t state, uint8_t byte) {
    return table[state][kind_of(byte)];
}

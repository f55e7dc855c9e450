/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch_probe.c – a receiver without a process around it: says what dispatch makes of a message.
 * Runs in: tests. Reads lines "LINK PHASE DESCRIPTORS TYPE HEX" ("-" for no payload) and answers each
 * with "handled NAME" or "refused". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel/packet.h"
#include "schema/every_message.h"

#define PAYLOAD_MAX 400000

static const struct any_link *find(const char *name) {
    const struct any_link *link = every_link;
    while (link->name != NULL && strcmp(link->name, name) != 0) {
        link++;
    }
    if (link->name == NULL) {
        fprintf(stderr, "no link %s\n", name);
        exit(2);
    }
    return link;
}

static size_t from_hex(const char *hex, uint8_t *out, size_t room) {
    size_t n = 0;
    for (; strcmp(hex, "-") != 0 && n < room && hex[2 * n] != '\0'; n++) {
        unsigned value;
        if (sscanf(hex + 2 * n, "%2x", &value) != 1) {
            fprintf(stderr, "not hexadecimal\n");
            exit(2);
        }
        out[n] = (uint8_t)value;
    }
    return n;
}

/* The payload lies at the end of its memory: one byte too far is seen by the sanitizer. */
static void answer(const char *name, const char *phase, unsigned fds, unsigned type, const char *hex) {
    static uint8_t bytes[PAYLOAD_MAX];
    static struct packet p;
    uint16_t seen = 0;
    size_t size = from_hex(hex, bytes, sizeof bytes);
    uint8_t *payload = malloc(size + 1);
    if (payload == NULL) {
        abort();
    }
    memcpy(payload + 1, bytes, size);
    p.fd_count = fds;
    int rc = find(name)->dispatch(&seen, strcmp(phase, "starting") == 0 ? PHASE_STARTING : PHASE_SERVING,
                                  (uint16_t)type, payload + 1, size, &p);
    if (rc == 1) {
        printf("handled %s\n", message_name(seen));
    } else {
        printf("refused\n");
    }
    free(payload);
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        char *rest = line, *words[5];
        for (size_t i = 0; i < 5; i++) {
            words[i] = strsep(&rest, " \n");
            if (words[i] == NULL) {
                fprintf(stderr, "five words are needed\n");
                return 2;
            }
        }
        answer(words[0], words[1], (unsigned)strtoul(words[2], NULL, 10),
               (unsigned)strtoul(words[3], NULL, 10), words[4]);
    }
    free(line);
    return 0;
}

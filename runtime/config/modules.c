/* SPDX-License-Identifier: Apache-2.0 */
/* modules.c – luttpd's own Lua in this process: the checker, its grammars, luttpd's own policies.
 * Runs in: config. Trusted: this text is part of the binary. */
#include <string.h>

#include "config/config.h"
#include "config_lua.h"
#include "script/modules.h"

int luaopen_lpeg(lua_State *L);

const struct embedded_lua *config_embedded(const char *name) {
    for (const struct embedded_lua *file = config_files; file->name != NULL; file++) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

void config_require(lua_State *L, const char *module) {
    script_module_push(L, config_files, luaopen_lpeg, module);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* modules.h – luttpd's own Lua in a process: text that is part of the binary.
 * Runs in: every process that hosts Lua and some of luttpd's own. Trusted: it gets globals of its own,
 * and its require is no function that an admin's or owner's script could reach. */
#ifndef LUTTPD_SCRIPT_MODULES_H
#define LUTTPD_SCRIPT_MODULES_H

#include <lua.h>

#include "base/embedded_lua.h"

/** Pushes the value of a module: "config.check" is the file "config/check.lua". Loads it, and what it
 * requires, when first asked for.
 * files: as luttpd_embed_lua makes them, the same ones in every call. lpeg: luaopen_lpeg, or NULL.
 * Raises Lua errors. */
void script_module_push(lua_State *L, const struct embedded_lua *files, lua_CFunction lpeg,
                        const char *module);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* embedded_lua.h – a Lua file that the build has put into the binary.
 * Runs in: processes that host Lua. Arrays of these come from luttpd_embed_lua (cmake/luttpd.cmake)
 * and end with an entry whose name is NULL. */
#ifndef LUTTPD_BASE_EMBEDDED_LUA_H
#define LUTTPD_BASE_EMBEDDED_LUA_H

#include <stddef.h>

struct embedded_lua {
    const char *name; /* path beneath lua/, such as "shared/media.lua" */
    const char *text; /* the file, and a NUL behind it */
    size_t size;      /* bytes, without that NUL */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* policy_head.c – a request's head as a hook sees it: fields are made when they are read, never before.
 * Runs in: listener. Distrusts: scripts, and the request. One object serves all requests: it shows the one that
 * is being judged, and outside of a judgement it shows nothing. */
#include <arpa/inet.h>
#include <lauxlib.h>

#include "listener/h1_chars.h"
#include "listener/policy_script.h"

#define TAG_PREFIX "luttpd-"
#define TAG_NAME_MAX 57 /* with the prefix, 64 */
#define TAG_VALUE_MAX 1024
#define NAME_MAX_BYTES 256 /* of a field that a hook asks for */

enum key {
    KEY_METHOD = 1,
    KEY_HOST,
    KEY_PATH,
    KEY_RAW_PATH,
    KEY_QUERY,
    KEY_ADDRESS,
    KEY_PORT,
    KEY_SCHEME,
    KEY_LISTENER_PORT
};

static const char *const keys[] = {
    [KEY_METHOD] = "method",     [KEY_HOST] = "host",     [KEY_PATH] = "path",
    [KEY_RAW_PATH] = "raw_path", [KEY_QUERY] = "query",   [KEY_ADDRESS] = "address",
    [KEY_PORT] = "port",         [KEY_SCHEME] = "scheme", [KEY_LISTENER_PORT] = "listener_port",
};

/* Upvalue 1 of every function here: the machine. */
static struct policy_subject *subject_of(lua_State *L) {
    struct policy_machine *machine = lua_touserdata(L, lua_upvalueindex(1));
    if (machine->subject == NULL) {
        luaL_error(L, "the request is over: a head is of use only in on_head");
    }
    return machine->subject;
}

static int push_slice(lua_State *L, struct slice text) {
    lua_pushlstring(L, text.n > 0 ? text.p : "", text.n);
    return 1;
}

static int push_address(lua_State *L, const struct network_client *client) {
    char text[INET6_ADDRSTRLEN] = "unix";
    if (client->family == FAMILY_INET) {
        (void)inet_ntop(AF_INET, client->address, text, sizeof text);
    } else if (client->family == FAMILY_INET6) {
        (void)inet_ntop(AF_INET6, client->address, text, sizeof text);
    }
    lua_pushstring(L, text);
    return 1;
}

static int push_key(lua_State *L, const struct policy_subject *s, enum key key) {
    const struct h1_head *head = s->head;
    switch (key) {
    case KEY_METHOD:
        return push_slice(L, head->method);
    case KEY_HOST:
        return push_slice(L, head->host);
    case KEY_PATH:
        return push_slice(L, head->path);
    case KEY_RAW_PATH:
        return push_slice(L, head->raw_path.n > 0 ? head->raw_path : head->path);
    case KEY_QUERY:
        return push_slice(L, head->query);
    case KEY_ADDRESS:
        return push_address(L, s->client);
    case KEY_PORT:
        lua_pushinteger(L, s->client->port);
        return 1;
    case KEY_SCHEME:
        lua_pushstring(L, s->client->https ? "https" : "http");
        return 1;
    case KEY_LISTENER_PORT:
        lua_pushinteger(L, s->listener_port);
        return 1;
    }
    return 0;
}

/* Upvalue 2: name → number of a key, or a value that never changes. */
static int head_index(lua_State *L) {
    const struct policy_subject *s = subject_of(L);
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    if (lua_type(L, -1) == LUA_TNUMBER) {
        return push_key(L, s, (enum key)lua_tointeger(L, -1));
    }
    if (lua_isnil(L, -1)) {
        return luaL_error(L, "a head has no such field");
    }
    return 1;
}

/* Headers -------------------------------------------------------------------------------------------------- */

/* What a client calls luttpd-* is no tag, and no hook shall take it for one. */
static bool is_reserved(struct slice name) {
    return name.n >= sizeof TAG_PREFIX - 1 && memcmp(name.p, TAG_PREFIX, sizeof TAG_PREFIX - 1) == 0;
}

static const struct field *next_line(const struct h1_head *head, size_t *i, struct slice name) {
    for (; *i < head->fields_count; (*i)++) {
        if (slice_equal(head->fields[*i].name, name)) {
            return &head->fields[(*i)++];
        }
    }
    return NULL;
}

static int push_lines(lua_State *L, const struct h1_head *head, struct slice name) {
    size_t i = 0;
    const struct field *line = next_line(head, &i, name), *more;
    if (line == NULL) {
        return 0;
    }
    (void)push_slice(L, line->value);
    while ((more = next_line(head, &i, name)) != NULL) {
        lua_pushstring(L, slice_equal(name, SLICE("cookie")) ? "; " : ", ");
        (void)push_slice(L, more->value);
        lua_concat(L, 3);
    }
    return 1;
}

static int headers_index(lua_State *L) {
    const struct policy_subject *s = subject_of(L);
    char lower[NAME_MAX_BYTES];
    size_t n;
    if (lua_type(L, 2) != LUA_TSTRING) {
        return luaL_error(L, "the name of a header is a text, not a %s", luaL_typename(L, 2));
    }
    const char *name = lua_tolstring(L, 2, &n);
    if (n == 0 || n > sizeof lower) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        lower[i] = (char)h1_token_lower[(uint8_t)name[i]];
    }
    struct slice wanted = slice_from(lower, n);
    return is_reserved(wanted) ? 0 : push_lines(L, s->head, wanted);
}

/* Tags ------------------------------------------------------------------------------------------------------ */

static bool is_tag_name(struct slice name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0))) {
            return false;
        }
    }
    return name.n > 0 && name.n <= TAG_NAME_MAX;
}

static bool is_tag_value(struct slice value) {
    for (size_t i = 0; i < value.n; i++) {
        if ((uint8_t)value.p[i] < ' ' || value.p[i] == 0x7f) {
            return false;
        }
    }
    bool padded = value.n > 0 && (value.p[0] == ' ' || value.p[value.n - 1] == ' ');
    return value.n <= TAG_VALUE_MAX && !padded;
}

static struct slice keep(lua_State *L, struct policy_subject *s, const char *prefix, struct slice text) {
    size_t before = strlen(prefix), n = before + text.n;
    if (n > POLICY_TAGS_BYTES - s->tags_used) {
        luaL_error(L, "all tags of a request together have at most %d bytes", POLICY_TAGS_BYTES);
    }
    char *at = s->tags + s->tags_used;
    memcpy(at, prefix, before);
    if (text.n > 0) {
        memcpy(at + before, text.p, text.n);
    }
    s->tags_used += n;
    return slice_from(at, n);
}

static struct field *find_tag(struct policy_subject *s, struct slice name) {
    for (size_t i = 0; i < s->tag_count; i++) {
        struct slice known = s->tag[i].name;
        known.p += sizeof TAG_PREFIX - 1;
        known.n -= sizeof TAG_PREFIX - 1;
        if (slice_equal(known, name)) {
            return &s->tag[i];
        }
    }
    return NULL;
}

static struct slice check_text(lua_State *L, int index, const char *what) {
    size_t n;
    if (lua_type(L, index) != LUA_TSTRING && lua_type(L, index) != LUA_TNUMBER) {
        luaL_error(L, "the %s of a tag is a text, not a %s", what, luaL_typename(L, index));
    }
    const char *p = lua_tolstring(L, index, &n);
    return slice_from(p, n);
}

/* head:tag(name, value); the last value of a name counts. */
static int head_tag(lua_State *L) {
    struct policy_subject *s = subject_of(L);
    struct slice name = check_text(L, 2, "name"), value = check_text(L, 3, "value");
    if (!is_tag_name(name)) {
        return luaL_error(L, "a tag's name has 1 to %d lower-case letters, digits and hyphens", TAG_NAME_MAX);
    }
    if (!is_tag_value(value)) {
        return luaL_error(L,
                          "a tag's value has at most %d bytes, no control characters and no space around it",
                          TAG_VALUE_MAX);
    }
    struct field *tag = find_tag(s, name);
    if (tag == NULL && s->tag_count == POLICY_TAGS_MAX) {
        return luaL_error(L, "a request has at most %d tags", POLICY_TAGS_MAX);
    }
    struct slice kept = keep(L, s, "", value);
    if (tag == NULL) {
        tag = &s->tag[s->tag_count];
        tag->name = keep(L, s, TAG_PREFIX, name);
        s->tag_count++;
    }
    tag->value = kept;
    return 0;
}

/* The object ------------------------------------------------------------------------------------------------ */

static int refuse_change(lua_State *L) {
    return luaL_error(L, "a head cannot be changed: head:tag(name, value) adds to the request");
}

/* Pushes an object whose metatable has the function on top, which is taken, as __index. */
static void push_object(lua_State *L) {
    (void)lua_newuserdata(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_change);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    (void)lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

void policy_head_push(lua_State *L, struct policy_machine *machine) {
    lua_pushlightuserdata(L, machine);
    lua_newtable(L);
    for (int key = KEY_METHOD; key <= KEY_LISTENER_PORT; key++) {
        lua_pushinteger(L, key);
        lua_setfield(L, -2, keys[key]);
    }
    lua_pushlightuserdata(L, machine);
    lua_pushcclosure(L, head_tag, 1);
    lua_setfield(L, -2, "tag");
    lua_pushlightuserdata(L, machine);
    lua_pushcclosure(L, headers_index, 1);
    push_object(L);
    lua_setfield(L, -2, "headers");
    lua_pushcclosure(L, head_index, 2);
    push_object(L);
}

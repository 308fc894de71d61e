// SPDX-License-Identifier: MIT
// Widgets between Lua tables and the wire: checking what scripts pass, decoding what comes back,
// merging changes into what is there.
#ifndef TS_BINDINGS_WIDGET_H
#define TS_BINDINGS_WIDGET_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"
#include "host/api/widget.h"

// Writes the sitekey that arg names: a string, or a widget table with one. Misuse otherwise.
TS_RAISES void check_sitekey(
    lua_State *L, int arg, const char *function, char out[TS_WIDGET_SITEKEY_MAX + 1]);

// Checks the field table at arg and pushes a normalised copy: domains lower-cased and without
// repeats, in the order given. For a creation required fields must be there and domains is a list;
// for a change fixed fields are refused, and domains may be { add = , remove = }, which becomes
// { add = list, remove = list } in the copy. Misuse names the field and what is allowed.
TS_RAISES void push_fields(lua_State *L, int arg, const char *function, bool is_creation);

// Whether the normalised fields at idx leave the widget open to any hostname (an empty `domains`).
TS_RAISES bool lx_is_any_hostname(lua_State *L, int idx);

// Appends the fields of the table at idx to a JSON body, in the order of the rule table. Raises
// when memory ends.
TS_RAISES void lx_add_fields(lua_State *L, int idx, struct ts_widget_body *body);

// Raises unless code, of the making of a body, is TS_OK: a body that is too large is misuse.
TS_RAISES void lx_check_body(lua_State *L, enum ts_err code);

// Pushes the writable fields of the widget at `widget` with the normalised changes at `changes` put
// over them, and whether anything differs. What the widget lacks is left out. A required field that
// it lacks, or one in a form that is not known, gives its name in *unfit: nothing may be sent then.
TS_RAISES bool push_merged(lua_State *L, int widget, int changes, const char **unfit);

// The bits (1 << enum ts_widget_field) of the fields that the normalised changes at idx name.
TS_RAISES lua_Integer lx_named_fields(lua_State *L, int idx);

// The first field that the normalised changes at `changes` set as a whole, and that is another in
// the widget at `live` than in the one at `base`, and not yet what it is to become; but for those
// with a bit in `but`. NULL when there is none: then the changes can be put over `live` without
// undoing what somebody else did.
TS_RAISES const char *lx_stale_field(
    lua_State *L, int base, int live, int changes, lua_Integer but);

#endif

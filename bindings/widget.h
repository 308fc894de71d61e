// SPDX-License-Identifier: MIT
// Widgets between Lua tables and the wire: checking what scripts pass, decoding what comes back,
// merging changes into what is there.
#ifndef TS_BINDINGS_WIDGET_H
#define TS_BINDINGS_WIDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/hold.h"
#include "bindings/lx.h"
#include "bindings/name_set.h"
#include "host/api/widget.h"

struct lx_image;

// Writes the sitekey that arg names: a string, or a widget table with one. Misuse otherwise.
TS_RAISES void check_sitekey(
    lua_State *L, int arg, const char *function, char out[TS_WIDGET_SITEKEY_MAX + 1]);

struct lx_text {
    const char *text;
    size_t len;
};

// The writable fields of a widget as plain values. The bytes stay whose they are.
struct lx_fields {
    unsigned there;  // bits (1 << enum ts_widget_field) of the fields that there are
    unsigned truths; // of the booleans among them, those that are true
    unsigned odd;    // of those in a form that is not known; they are not among `there`
    struct lx_text texts[TS_WIDGET_FIELD_COUNT];
    struct lx_names domains;
};

enum lx_list { LX_ADDED, LX_REMOVED, LX_LIST_COUNT };

// What a script wants to be written, checked and normalised; the bytes lie in the same userdata. It
// is also the hold of the write that makes the changes, so that one object does for both.
struct lx_changes {
    struct lx_hold hold;
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1]; // "" for a creation
    uint64_t key;                            // see lx_freshness_key
    struct lx_fields fields;                 // domains are a set: all of them, or those to be added
    struct lx_names lists[LX_LIST_COUNT];
    bool is_relative; // domains are added and removed; else they are replaced
    bool is_spare;    // see spare.h
};

// Registers the metatable; called once at set-up.
TS_RAISES void lx_open_changes(lua_State *L);

// Checks the field table at arg and pushes it as a userdata with changes, tied to a hold that is
// not taken yet. For a creation required fields must be there and domains is a list; for a change
// fixed fields are refused, and domains may be { add = , remove = }. Misuse names the field and
// what is allowed.
TS_RAISES struct lx_changes *push_changes(
    lua_State *L, int arg, const char *function, bool is_creation);

// Whether the fields leave the widget open to any hostname (an empty `domains`).
bool lx_is_any_hostname(const struct lx_fields *fields);

// Writes the fields as a JSON body, in the order of the rule table. Raises when memory ends.
TS_RAISES void lx_add_fields(
    lua_State *L, const struct lx_fields *fields, struct ts_widget_body *body);

// The same without the end of the body. NOMEM, TOO_LARGE.
enum ts_err lx_fields_write(const struct lx_fields *fields, struct ts_widget_body *body);

// Raises unless code, of the making of a body, is TS_OK: a body that is too large is misuse.
TS_RAISES void lx_check_body(lua_State *L, enum ts_err code);

// What comes of changes that are put over a widget.
struct lx_merged {
    unsigned changed;  // bits of the fields that become other ones
    const char *unfit; // a required field that the widget lacks, or one in a form that is not known
    bool is_opened;    // to any hostname, which it was not before
};

// Puts the changes over the writable fields of the widget at idx. Writes the result into the body,
// without what the widget lacks, and the image of the widget as it was into `before`: only when
// something changes and nothing is unfit, as then nothing may be sent. Without a body it only
// compares. idx is not relative.
TS_RAISES void lx_merge(lua_State *L, int idx, const struct lx_changes *changes,
    struct ts_widget_body *body, struct lx_image *before, struct lx_merged *out);

// The first field that the changes set as a whole, and that is another in the widget at `live` than
// in the one at `base`, and not yet what it is to become; but for those with a bit in `but`. NULL
// when there is none: then the changes can be put over `live` without undoing what somebody else
// did.
TS_RAISES const char *lx_stale_field(
    lua_State *L, int base, int live, const struct lx_changes *changes, unsigned but);

#endif

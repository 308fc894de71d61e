// SPDX-License-Identifier: MIT
// What a widget may hold: the writable fields, their limits, and the JSON body that carries them.
// Limits come from the OpenAPI document (names 1..254, the enums) and the hostname pages.
#ifndef TS_API_WIDGET_H
#define TS_API_WIDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/buf.h"
#include "host/base/error.h"

#define TS_WIDGET_NAME_MAX 254   // characters
#define TS_WIDGET_DOMAIN_MAX 253 // bytes in one hostname
#define TS_WIDGET_SITEKEY_MAX 32

enum ts_widget_field {
    TS_WIDGET_NAME,
    TS_WIDGET_DOMAINS,
    TS_WIDGET_MODE,
    TS_WIDGET_REGION, // only at creation
    TS_WIDGET_CLEARANCE_LEVEL,
    TS_WIDGET_BOT_FIGHT_MODE,
    TS_WIDGET_EPHEMERAL_ID,
    TS_WIDGET_OFFLABEL,
    TS_WIDGET_FIELD_COUNT,
};

enum ts_widget_kind { TS_WIDGET_TEXT, TS_WIDGET_BOOLEAN, TS_WIDGET_LIST };

struct ts_widget_rule {
    const char *name; // as on the wire
    enum ts_widget_kind kind;
    const char *const *choices; // NULL-terminated enum, NULL when free
    bool is_required;           // in create and update bodies
    bool is_fixed;              // set at creation, never changed
};

// The rule of a field. Lives for ever.
const struct ts_widget_rule *ts_widget_rule_of(enum ts_widget_field field);

// Finds a writable field by its name; TS_WIDGET_FIELD_COUNT when there is none.
enum ts_widget_field ts_widget_field_of(const char *name);

// Checks the text of a TS_WIDGET_TEXT field against its rule: enum membership; 1..254 characters
// of UTF-8 for the name. INVALID with what is allowed.
enum ts_err ts_widget_check_text(
    enum ts_widget_field field, const char *text, size_t len, struct ts_error *err);

// Checks what may stand in a path as a sitekey: 1..32 of [0-9A-Za-z_-]. INVALID otherwise.
enum ts_err ts_widget_check_sitekey(const char *text, size_t len, struct ts_error *err);

// Normalises one hostname or address literal: lower case, one trailing dot dropped. Refuses
// schemes, ports, paths, wildcards and non-ASCII with a word on what to write instead. INVALID. out
// holds at least TS_WIDGET_DOMAIN_MAX + 1 bytes.
enum ts_err ts_domain_normalise(const char *text, size_t len, char *out, struct ts_error *err);

// A JSON object under construction; takes members, ends.
struct ts_widget_body {
    struct ts_buf json;
    size_t members;
};

// Makes one without members, whose memory will be from the pool (NULL: malloc). Cannot fail. fini
// when done with it, whatever failed.
void ts_widget_body_init(struct ts_widget_body *body, struct ts_pool *pool);
void ts_widget_body_fini(struct ts_widget_body *body);

// Add one member each. Text is UTF-8. NOMEM, TOO_LARGE.
enum ts_err ts_widget_body_add_text(
    struct ts_widget_body *body, const char *name, const char *text, size_t len);
enum ts_err ts_widget_body_add_bool(struct ts_widget_body *body, const char *name, bool value);
enum ts_err ts_widget_body_add_int(struct ts_widget_body *body, const char *name, int64_t value);
enum ts_err ts_widget_body_add_list(
    struct ts_widget_body *body, const char *name, const char *const *items, size_t count);

// Closes the object; the text is body->json, the caller's until fini.
enum ts_err ts_widget_body_end(struct ts_widget_body *body);

#endif

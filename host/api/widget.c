// SPDX-License-Identifier: MIT
// The rules of a widget's fields as a table, and the checks that run before anything is sent.
// The server checks too; these only save a request and can name the script's line.
#include "host/api/widget.h"

#include <stdio.h>
#include <string.h>

#include "host/base/chars.h"
#include "host/base/str.h"

static const char *const modes[] = {"managed", "non-interactive", "invisible", NULL};
static const char *const regions[] = {"world", "china", NULL};
static const char *const clearance_levels[] = {
    "no_clearance", "jschallenge", "managed", "interactive", NULL};

static const struct ts_widget_rule rules[TS_WIDGET_FIELD_COUNT] = {
    [TS_WIDGET_NAME] = {"name", TS_WIDGET_TEXT, NULL, true, false},
    [TS_WIDGET_DOMAINS] = {"domains", TS_WIDGET_LIST, NULL, true, false},
    [TS_WIDGET_MODE] = {"mode", TS_WIDGET_TEXT, modes, true, false},
    [TS_WIDGET_REGION] = {"region", TS_WIDGET_TEXT, regions, false, true},
    [TS_WIDGET_CLEARANCE_LEVEL] = {"clearance_level", TS_WIDGET_TEXT, clearance_levels, false,
        false},
    [TS_WIDGET_BOT_FIGHT_MODE] = {"bot_fight_mode", TS_WIDGET_BOOLEAN, NULL, false, false},
    [TS_WIDGET_EPHEMERAL_ID] = {"ephemeral_id", TS_WIDGET_BOOLEAN, NULL, false, false},
    [TS_WIDGET_OFFLABEL] = {"offlabel", TS_WIDGET_BOOLEAN, NULL, false, false},
};

const struct ts_widget_rule *ts_widget_rule_of(enum ts_widget_field field)
{
    return &rules[field];
}

enum ts_widget_field ts_widget_field_of(const char *name)
{
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (ts_str_is(rules[i].name, name)) {
            return (enum ts_widget_field)i;
        }
    }
    return TS_WIDGET_FIELD_COUNT;
}

static enum ts_err choice_complain(
    const struct ts_widget_rule *rule, const char *text, size_t len, struct ts_error *err)
{
    char allowed[160] = "";
    size_t used = 0;
    for (const char *const *choice = rule->choices; *choice; choice++) {
        used += (size_t)snprintf(
            allowed + used, sizeof allowed - used, "%s%s", used ? ", " : "", *choice);
    }
    return ts_error_set(err, TS_ERR_INVALID, "`%s` is \"%.*s\", must be one of: %s", rule->name,
        (int)(len < 40 ? len : 40), text, allowed);
}

static enum ts_err choice_check(
    const struct ts_widget_rule *rule, const char *text, size_t len, struct ts_error *err)
{
    for (const char *const *choice = rule->choices; *choice; choice++) {
        if (strlen(*choice) == len && memcmp(*choice, text, len) == 0) {
            return TS_OK;
        }
    }
    return choice_complain(rule, text, len, err);
}

// The length in characters, or -1 when the bytes are not UTF-8 (RFC 3629: no surrogates, shortest
// form, nothing past U+10FFFF).
static long utf8_count(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *end = p + len;
    long count = 0;
    while (p < end) {
        int more = 0;
        unsigned min = 0, point = *p;
        if (*p >= 0xf0 && *p <= 0xf4) {
            more = 3, min = 0x10000, point = *p & 7u;
        } else if (*p >= 0xe0 && *p < 0xf0) {
            more = 2, min = 0x800, point = *p & 15u;
        } else if (*p >= 0xc2 && *p < 0xe0) {
            more = 1, min = 0x80, point = *p & 31u;
        } else if (*p >= 0x80) {
            return -1;
        }
        p++;
        for (; more > 0; more--, p++) {
            if (p >= end || (*p & 0xc0) != 0x80) {
                return -1;
            }
            point = point << 6 | (*p & 63u);
        }
        if (point < min || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
            return -1;
        }
        count++;
    }
    return count;
}

enum ts_err ts_widget_check_text(
    enum ts_widget_field field, const char *text, size_t len, struct ts_error *err)
{
    const struct ts_widget_rule *rule = &rules[field];
    if (rule->choices) {
        return choice_check(rule, text, len, err);
    }
    long count = utf8_count(text, len);
    if (count < 0) {
        return ts_error_set(err, TS_ERR_INVALID, "`%s` is not valid UTF-8", rule->name);
    }
    if (count < 1 || count > TS_WIDGET_NAME_MAX) {
        return ts_error_set(err, TS_ERR_INVALID, "`%s` has %ld characters, must have 1 to %d",
            rule->name, count, TS_WIDGET_NAME_MAX);
    }
    return TS_OK;
}

enum ts_err ts_widget_check_sitekey(const char *text, size_t len, struct ts_error *err)
{
    if (len < 1) {
        return ts_error_set(err, TS_ERR_INVALID, "the sitekey is empty");
    }
    if (len > TS_WIDGET_SITEKEY_MAX) {
        return ts_error_set(err, TS_ERR_INVALID, "the sitekey has %zu characters, at most %d go",
            len, TS_WIDGET_SITEKEY_MAX);
    }
    // A secret passed by mistake is longer, so it is never shown here.
    if (ts_chars_span(text, len, TS_CHARS_WORD) < len) {
        return ts_error_set(err, TS_ERR_INVALID,
            "\"%.*s\" cannot be a sitekey: only letters, digits, _ and - occur in one", (int)len,
            text);
    }
    return TS_OK;
}

static bool is_address_v6(const char *text, size_t len)
{
    static const char alphabet[] = "0123456789abcdefABCDEF:.";
    size_t colons = 0;
    for (size_t i = 0; i < len; i++) {
        if (!text[i] || !strchr(alphabet, text[i])) {
            return false;
        }
        colons += text[i] == ':';
    }
    return colons >= 2;
}

static enum ts_err domain_complain(
    const char *text, size_t len, const char *why, struct ts_error *err)
{
    return ts_error_set(
        err, TS_ERR_INVALID, "domain \"%.*s\" %s", (int)(len < 80 ? len : 80), text, why);
}

// What people paste instead of a hostname, each with the cure.
static const char *domain_mistake(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == ':' && i + 2 < len && text[i + 1] == '/' && text[i + 2] == '/') {
            return "has a scheme: write the hostname alone";
        }
        if (c >= 0x80) {
            return "is not ASCII: write the punycode form (xn--...)";
        }
    }
    if (memchr(text, '/', len)) {
        return "has a path: write the hostname alone";
    }
    if (memchr(text, '*', len)) {
        return "has a wildcard: a hostname covers its subdomains already";
    }
    if (memchr(text, ':', len)) {
        return "has a port: write the hostname alone";
    }
    return NULL;
}

// Labels of 1 to 63 characters, none with a hyphen at either end, parted by dots; in lower case.
static bool is_hostname(const char *text, size_t len)
{
    for (size_t i = 0;; i++) {
        size_t label_len = ts_chars_span(text + i, len - i, TS_CHARS_LOWER_WORD);
        if (label_len < 1 || label_len > 63 || text[i] == '-' || text[i + label_len - 1] == '-') {
            return false;
        }
        i += label_len;
        if (i == len || text[i] != '.') {
            return i == len;
        }
    }
}

enum ts_err ts_domain_normalise(const char *text, size_t len, char *out, struct ts_error *err)
{
    if (len > 0 && text[len - 1] == '.') {
        len--;
    }
    if (len < 1) {
        return ts_error_set(err, TS_ERR_INVALID, "a domain is empty");
    }
    if (len > TS_WIDGET_DOMAIN_MAX) {
        return domain_complain(text, len, "is longer than 253 characters", err);
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    }
    out[len] = '\0';
    if (!is_hostname(out, len) && !is_address_v6(text, len)) {
        const char *mistake = domain_mistake(text, len);
        return domain_complain(text, len,
            mistake ? mistake
                    : "is not a hostname: labels are 1 to 63 of a-z, 0-9, - and _, parted by dots",
            err);
    }
    return TS_OK;
}

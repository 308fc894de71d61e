// SPDX-License-Identifier: MIT
// Serves a sandbox until standard input ends or a signal comes: a helper for trying it by hand.
// Usage: sandbox_serve [name=value ...] with the names of struct ts_sandbox_config.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/base/str.h"
#include "host/sandbox/sandbox.h"

struct row {
    const char *name;
    size_t offset;
    bool is_text;
};

#define TEXT(field)                                                                                \
    {                                                                                              \
#field, offsetof(struct ts_sandbox_config, field), true                                    \
    }
#define NUMBER(field)                                                                              \
    {                                                                                              \
#field, offsetof(struct ts_sandbox_config, field), false                                   \
    }

static const struct row rows[] = {TEXT(listen), TEXT(account), TEXT(token), TEXT(db), TEXT(entitle),
    TEXT(limiter), NUMBER(rate_requests), NUMBER(rate_window_s), NUMBER(grace_s),
    NUMBER(max_domains), NUMBER(max_widgets), NUMBER(latency_ms)};

static bool config_set(struct ts_sandbox_config *config, const char *argument)
{
    if (ts_str_is(argument, "log")) {
        config->log = true;
        return true;
    }
    const char *equals = strchr(argument, '=');
    for (size_t i = 0; equals && i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = (size_t)(equals - argument);
        if (strlen(rows[i].name) != len || memcmp(rows[i].name, argument, len) != 0) {
            continue;
        }
        char *field = (char *)config + rows[i].offset;
        if (rows[i].is_text) {
            const char *text = equals + 1;
            memcpy(field, &text, sizeof text);
            return true;
        }
        int64_t number;
        bool is_number = ts_str_to_int(equals + 1, &number);
        memcpy(field, &number, sizeof number);
        return is_number;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct ts_sandbox_config config = {.grace_s = -1};
    for (int i = 1; i < argc; i++) {
        if (!config_set(&config, argv[i])) {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
    }
    struct ts_sandbox *sandbox;
    struct ts_error err;
    if (ts_sandbox_start(&config, &sandbox, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    printf("%s\n", ts_sandbox_url(sandbox));
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    ts_sandbox_stop(sandbox);
    return 0;
}

// SPDX-License-Identifier: MIT
// Where a client's calls go. Against the public API siteverify has its own host; against any other
// base URL (a sandbox, a proxy in a test) it is looked for on the same origin.
#include "host/api/client.h"

#include <stdlib.h>
#include <string.h>

#include "host/api/client_private.h"
#include "host/base/str.h"
#include "host/net/loop.h"
#include "host/net/xfer.h"

#define ACCOUNT_LEN 32

static enum ts_err account_check(const char *account, struct ts_error *err)
{
    size_t len = strlen(account);
    if (len > ACCOUNT_LEN) { // it may be a token that was mistaken for one
        return ts_error_set(err, TS_ERR_USAGE,
            "what is given as the account id has %zu characters, but it has 32 hexadecimal ones",
            len);
    }
    if (len != ACCOUNT_LEN || strspn(account, "0123456789abcdefABCDEF") != len) {
        return ts_error_set(err, TS_ERR_USAGE,
            "\"%s\" is not an account id: it has 32 hexadecimal characters (dashboard, account "
            "home, \"Copy account ID\")",
            account);
    }
    return TS_OK;
}

// Cuts the path off: "http://127.0.0.1:8080/client/v4" becomes "http://127.0.0.1:8080".
static void origin_cut(char *url)
{
    char *host = strstr(url, "://");
    char *path = host ? strchr(host + 3, '/') : NULL;
    if (path) {
        *path = '\0';
    }
}

enum ts_err ts_client_check(const struct ts_client_config *config, struct ts_error *err)
{
    enum ts_err code = ts_url_check(config->base_url ? config->base_url : TS_API_BASE_URL, err);
    return !code && config->account ? account_check(config->account, err) : code;
}

enum ts_err ts_client_create(
    const struct ts_client_config *config, struct ts_client **out, struct ts_error *err)
{
    *out = NULL;
    const char *base_url = config->base_url ? config->base_url : TS_API_BASE_URL;
    enum ts_err code = ts_client_check(config, err);
    if (code) {
        return code;
    }
    struct ts_client *client = calloc(1, sizeof *client);
    if (!client) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    client->loop = config->loop;
    client->queue = config->queue;
    client->timeout_us = config->timeout_us;
    client->budget = config->budget;
    if (!ts_str_copy(client->base_url, sizeof client->base_url, base_url)) {
        free(client);
        return ts_error_set(err, TS_ERR_USAGE, "the base URL is too long");
    }
    for (size_t len = strlen(client->base_url); len > 0 && client->base_url[len - 1] == '/';) {
        client->base_url[--len] = '\0';
    }
    bool is_public = ts_str_is(client->base_url, TS_API_BASE_URL);
    ts_str_copy(client->public_url, sizeof client->public_url,
        is_public ? TS_API_SITEVERIFY_ORIGIN : client->base_url);
    origin_cut(client->public_url);
    if (config->account) {
        ts_str_copy(client->account, sizeof client->account, config->account);
    }
    if (config->credentials) {
        client->credentials = *config->credentials;
        client->has_credentials = true;
        *config->credentials = (struct ts_credentials){0};
    }
    *out = client;
    return TS_OK;
}

void ts_client_destroy(struct ts_client *client)
{
    if (client) {
        ts_credentials_fini(&client->credentials);
        free(client);
    }
}

const char *ts_client_base_url(const struct ts_client *client)
{
    return client->base_url;
}

const char *ts_client_account(const struct ts_client *client)
{
    return client->account;
}

struct ts_pool *ts_client_pool(const struct ts_client *client)
{
    return ts_loop_pool(client->loop);
}

struct ts_budget *ts_client_budget(struct ts_client *client)
{
    return client->budget;
}

const char *ts_client_source(const struct ts_client *client)
{
    return client->credentials.source;
}

// SPDX-License-Identifier: MIT
// A client: one account at one origin with one set of credentials, and the calls made with it.
// Credentials go to this origin only; siteverify goes to its own origin without them.
#ifndef TS_API_CLIENT_H
#define TS_API_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/api/credentials.h"
#include "host/api/queue.h"

struct ts_budget;
struct ts_loop;
struct ts_pool;

#define TS_API_BASE_URL "https://api.cloudflare.com/client/v4"
#define TS_API_SITEVERIFY_ORIGIN "https://challenges.cloudflare.com"

struct ts_client;

struct ts_client_config {
    struct ts_loop *loop;               // must outlive the client
    struct ts_queue *queue;             // must outlive the client
    const char *base_url;               // copied; NULL: the public API
    const char *account;                // copied; NULL: only calls that need no account
    struct ts_credentials *credentials; // taken: zeroed on success; NULL: public calls only
    int64_t timeout_us;                 // for one exchange, counted from its sending
    struct ts_budget *budget;           // must outlive the client; NULL: nothing is rationed
};

// Whether a client can be made of account and base URL. USAGE as below, NOMEM.
enum ts_err ts_client_check(const struct ts_client_config *config, struct ts_error *err);

// Fails with USAGE (bad URL, an account id that is not 32 hex characters) or NOMEM.
enum ts_err ts_client_create(
    const struct ts_client_config *config, struct ts_client **out, struct ts_error *err);

// Calls of the client must be gone. NULL is fine.
void ts_client_destroy(struct ts_client *client);

// Borrowed, for messages: "https://api.cloudflare.com/client/v4", the account id or "", and where
// the credentials came from ("" when there are none).
const char *ts_client_base_url(const struct ts_client *client);
const char *ts_client_account(const struct ts_client *client);
const char *ts_client_source(const struct ts_client *client);

// Memory for what comes and goes with each of its calls; outlives it.
struct ts_pool *ts_client_pool(const struct ts_client *client);

// The budget that it was made with.
struct ts_budget *ts_client_budget(struct ts_client *client);

#endif

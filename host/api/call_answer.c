// SPDX-License-Identifier: MIT
// What an exchange brought, and what it says: about a write, and about trying once more.
#include <string.h>

#include "host/api/call_private.h"
#include "host/base/clock.h"
#include "host/base/str.h"

void call_answer_fill(struct ts_call *call)
{
    struct ts_xfer_result *result = ts_xfer_result(call->xfer);
    struct ts_answer *answer = &call->answer;
    answer->code = result->code;
    if (result->code) {
        answer->error = result->error;
    }
    answer->is_sent = result->is_sent;
    answer->status = result->status;
    answer->body = &result->body;
    answer->duration_us = result->duration_us;
    const char *ray = ts_xfer_header(call->xfer, "CF-Ray");
    ts_str_copy(answer->ray, sizeof answer->ray, ray ? ray : "");
    const char *type = ts_xfer_header(call->xfer, "Content-Type");
    ts_str_copy(answer->content_type, sizeof answer->content_type, type ? type : "");
    const char *retry_after = ts_xfer_header(call->xfer, "Retry-After");
    if (retry_after) { // else it stays -1, and the date is not asked for
        answer->retry_after_s = ts_retry_after(retry_after, ts_xfer_header(call->xfer, "Date"),
            ts_clock_wall(ts_loop_clock(call->client->loop)));
    }
    if (answer->status < 200 || answer->status >= 300) {
        // What a refusal says is shown to people.
        const struct ts_credentials *credentials = &call->client->credentials;
        if (result->body.data) {
            ts_credentials_mask(credentials, result->body.data, result->body.len);
        }
        ts_credentials_mask(credentials, answer->ray, strlen(answer->ray));
        ts_credentials_mask(credentials, answer->content_type, strlen(answer->content_type));
    }
}

enum ts_outcome ts_answer_outcome(const struct ts_answer *answer)
{
    bool is_success = answer->status >= 200 && answer->status < 300;
    if (is_success && !answer->code) {
        return TS_OUTCOME_DONE;
    }
    if (!answer->is_sent) {
        return TS_OUTCOME_NOT_APPLIED;
    }
    bool is_refusal = answer->status >= 400 && answer->status < 500 && answer->status != 408;
    return is_refusal ? TS_OUTCOME_NOT_APPLIED : TS_OUTCOME_UNKNOWN;
}

bool ts_answer_is_retryable(const struct ts_answer *answer)
{
    if (answer->code == TS_ERR_TRANSPORT || answer->code == TS_ERR_TRUST ||
        answer->code == TS_ERR_TIMEOUT) {
        return true;
    }
    return answer->status == 408 || answer->status == 429 || answer->status >= 500;
}

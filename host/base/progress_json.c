// SPDX-License-Identifier: MIT
// The progress for programs: an object of one line, always with the same members. Decimals are put
// together from whole numbers, because a script may have changed the locale.
#include <inttypes.h>

#include "host/base/json_write.h"
#include "host/base/progress_private.h"

// A member that is null when it is not known.
static enum ts_err add_count(struct ts_buf *out, const char *name, int64_t count)
{
    return count < 0 ? ts_buf_add_format(out, ",\"%s\":null", name)
                     : ts_buf_add_format(out, ",\"%s\":%" PRId64, name, count);
}

static enum ts_err add_word(struct ts_buf *out, const char *name, const char *word)
{
    return word ? ts_buf_add_format(out, ",\"%s\":\"%s\"", name, word)
                : ts_buf_add_format(out, ",\"%s\":null", name);
}

static enum ts_err add_thousandths(struct ts_buf *out, const char *name, int64_t value)
{
    return value < 0 ? ts_buf_add_format(out, ",\"%s\":null", name)
                     : ts_buf_add_format(
                           out, ",\"%s\":%" PRId64 ".%03" PRId64, name, value / 1000, value % 1000);
}

enum ts_err ts_progress_json(
    const struct ts_progress_view *view, const char *event, bool is_complete, struct ts_buf *out)
{
    const struct ts_progress_job *job = view->job;
    double rate = view->rate < 1e12 ? view->rate * 1000 + 0.5 : 1e15;
    enum ts_err code =
        ts_buf_add_format(out, "{\"event\":\"%s\",\"job\":%u,\"label\":", event, job->id);
    code = code ? code : ts_json_add_text(out, job->label, job->label_len);
    code = code ? code : add_count(out, "done", job->done);
    code = code ? code : add_count(out, "failed", job->failed);
    code = code ? code : add_count(out, "total", view->total);
    code = code ? code : add_count(out, "left", view->left);
    code = code ? code : add_thousandths(out, "rate", (int64_t)rate);
    code = code ? code : add_count(out, "budget_left", view->budget_left);
    code = code ? code : add_thousandths(out, "waiting", view->wait_us / 1000);
    code = code ? code : add_word(out, "reason", view->reason);
    code =
        code ? code
             : add_thousandths(out, "seconds_left", view->left_us < 0 ? -1 : view->left_us / 1000);
    code = code ? code : add_thousandths(out, "elapsed", view->elapsed_us / 1000);
    if (!code && event[0] == 'e') {
        code = ts_buf_add_format(out, ",\"complete\":%s", is_complete ? "true" : "false");
    }
    return code ? code : ts_buf_add_str(out, "}\n");
}

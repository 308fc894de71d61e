// SPDX-License-Identifier: MIT
// What the operations on one widget share.
// The current state that a write depends on, and the reply that shows a widget.
#ifndef TS_SANDBOX_WIDGET_H
#define TS_SANDBOX_WIDGET_H

#include "host/sandbox/service.h"

struct ts_sandbox_widget_state {
    char region[8];
    bool is_in_grace; // its previous secret is still accepted
};

// Reads the state of the request's widget. False with the reply filled when there is none.
bool ts_sandbox_widget_read_state(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_widget_state *state,
    struct ts_sandbox_reply *reply);

// Fills the reply with the whole widget, secret included; 404 when there is none.
bool ts_sandbox_widget_show(struct ts_sandbox_service *service, const char *account,
    const char *sitekey, struct ts_sandbox_reply *reply);

// Ends the write transaction and replies BROKEN unless everything up to the commit went well.
// When is_fine is false the reply was filled by whoever found out.
void ts_sandbox_widget_finish(
    struct ts_sandbox_service *service, bool is_fine, struct ts_sandbox_reply *reply);

#endif

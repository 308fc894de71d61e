// SPDX-License-Identifier: MIT
// The tables of the journal and how older ones become those of today. A step that was released
// never changes: what is to be different comes in a further one, with a fixture of the version
// before it in tests/unit/state.
#ifndef TS_STATE_JOURNAL_SCHEMA_H
#define TS_STATE_JOURNAL_SCHEMA_H

#include "host/state/database.h"

// The kind of journal.db.
extern const struct ts_database_kind ts_journal_kind;

#endif

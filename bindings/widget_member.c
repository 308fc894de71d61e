// SPDX-License-Identifier: MIT
// The table, and how a name is found in it.
#include "bindings/widget_member.h"

#include <string.h>

#define MEMBER(text) .name = (text), .quoted = "\"" text "\"", .len = sizeof(text) - 1

static const struct lx_member members[LX_MEMBER_COUNT] = {
    [TS_WIDGET_NAME] = {MEMBER("name")},
    [TS_WIDGET_DOMAINS] = {MEMBER("domains")},
    [TS_WIDGET_MODE] = {MEMBER("mode"), .is_word = true},
    [TS_WIDGET_REGION] = {MEMBER("region"), .is_word = true},
    [TS_WIDGET_CLEARANCE_LEVEL] = {MEMBER("clearance_level"), .is_word = true},
    [TS_WIDGET_BOT_FIGHT_MODE] = {MEMBER("bot_fight_mode")},
    [TS_WIDGET_EPHEMERAL_ID] = {MEMBER("ephemeral_id")},
    [TS_WIDGET_OFFLABEL] = {MEMBER("offlabel")},
    [LX_MEMBER_SITEKEY] = {MEMBER("sitekey")},
    [LX_MEMBER_MODIFIED] = {MEMBER("modified_on")},
    [LX_MEMBER_CREATED] = {MEMBER("created_on")},
    [LX_MEMBER_DEPLOYED_VIA] = {MEMBER("deployed_via"), .is_word = true},
    [LX_MEMBER_MODIFIED_VIA] = {MEMBER("last_modified_via"), .is_word = true},
    [LX_MEMBER_SECRET] = {MEMBER("secret")},
};

const struct lx_member *lx_members(void)
{
    return members;
}

// By length first: this is asked for every member of every row.
int lx_member_of(const char *name, size_t len)
{
    static const unsigned char by_len[LX_MEMBER_COUNT] = {TS_WIDGET_NAME, TS_WIDGET_MODE,
        TS_WIDGET_REGION, LX_MEMBER_SECRET, TS_WIDGET_DOMAINS, LX_MEMBER_SITEKEY,
        TS_WIDGET_OFFLABEL, LX_MEMBER_CREATED, LX_MEMBER_MODIFIED, TS_WIDGET_EPHEMERAL_ID,
        LX_MEMBER_DEPLOYED_VIA, TS_WIDGET_BOT_FIGHT_MODE, TS_WIDGET_CLEARANCE_LEVEL,
        LX_MEMBER_MODIFIED_VIA};
    // Where names of that length begin; the next entry is where they end.
    static const unsigned char begins[] = {
        0, 0, 0, 0, 0, 2, 2, 4, 6, 7, 7, 8, 9, 11, 11, 12, 13, 13, 14};
    if (len + 1 >= sizeof begins) {
        return LX_MEMBER_COUNT;
    }
    for (size_t i = begins[len]; i < begins[len + 1]; i++) {
        if (memcmp(members[by_len[i]].name, name, len) == 0) {
            return by_len[i];
        }
    }
    return LX_MEMBER_COUNT;
}

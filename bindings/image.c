// SPDX-License-Identifier: MIT
// Fields that are missing or in a form that is not known are left out: nothing could be made of
// them later. A widget that is too large to be written down has no image: that is no reason to fail
// a write.
#include "bindings/image.h"

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/secret.h"
#include "bindings/widget_view.h"
#include "bindings/widget_words.h"
#include "host/net/loop.h"

#define IMAGE "turnstile.image"

void lx_image_init(struct lx_image *image, struct ts_pool *pool)
{
    image->mark[0] = '\0';
    ts_widget_body_init(&image->json, pool);
}

void lx_image_fini(struct lx_image *image)
{
    ts_widget_body_fini(&image->json);
}

static int image__gc(lua_State *L)
{
    lx_image_fini(lua_touserdata(L, 1));
    return 0;
}

void lx_open_image(lua_State *L)
{
    lx_metatable(L, IMAGE, image__gc, NULL, NULL);
}

struct lx_image *push_image(lua_State *L)
{
    struct lx_image *image = push_box(L, sizeof *image, IMAGE);
    lx_image_init(image, ts_loop_pool(ts_host_of(L)->loop));
    return image;
}

// Adds the time that the widget at idx has, if it has one.
static enum ts_err image_add_time(
    lua_State *L, int idx, int words, int member, struct lx_image *image)
{
    enum ts_err code = TS_OK;
    size_t len;
    push_member_name(L, words, member);
    if (lua_rawget(L, idx) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &len);
        code = ts_widget_body_add_text(&image->json, lx_members()[member].name, text, len);
    }
    lua_pop(L, 1);
    return code;
}

void lx_image_take_fields(
    lua_State *L, int idx, const struct lx_fields *fields, struct lx_image *image)
{
    push_words(L);
    int words = lua_gettop(L);
    enum ts_err code = lx_fields_write(fields, &image->json);
    code = code ? code : image_add_time(L, idx, words, LX_MEMBER_CREATED, image);
    code = code ? code : image_add_time(L, idx, words, LX_MEMBER_MODIFIED, image);
    code = code ? code : ts_widget_body_end(&image->json);
    lua_pop(L, 1);
    if (code == TS_ERR_NOMEM) {
        luaL_error(L, "not enough memory");
    } else if (code) {
        ts_buf_clear(&image->json.json);
    }
}

void lx_image_take(lua_State *L, int idx, struct lx_image *image)
{
    struct lx_view view;
    int top = lua_gettop(L);
    idx = lua_absindex(L, idx);
    lx_view_read(L, idx, LX_ALL_FIELDS, 0, &view);
    lx_image_take_fields(L, idx, &view.fields, image);
    lua_settop(L, top);
}

void lx_image_mark(lua_State *L, int idx, struct lx_image *image)
{
    struct ts_secret *secret = lx_test_secret(L, idx);
    if (secret) {
        ts_secret_mark(secret, image->mark);
    }
}

// A member of the widget at idx, pushed.
static void push_widget_member(lua_State *L, int idx, int member)
{
    lua_pushstring(L, lx_members()[member].name);
    lua_rawget(L, idx);
}

void lx_image_end(
    lua_State *L, int idx, enum ts_op op, struct lx_image *image, struct ts_write_end *end)
{
    *end = (struct ts_write_end){.outcome = TS_OUTCOME_DONE};
    if (idx == 0) {
        return;
    }
    idx = lua_absindex(L, idx);
    lx_image_take(L, idx, image);
    end->after = ts_buf_text(&image->json.json);
    end->after_len = image->json.json.len;
    if (op == TS_OP_CREATE) {
        push_widget_member(L, idx, LX_MEMBER_SITEKEY);
        end->sitekey = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        lua_pop(L, 1);
    }
    if (op == TS_OP_CREATE || op == TS_OP_ROTATE) {
        push_widget_member(L, idx, LX_MEMBER_SECRET);
        lx_image_mark(L, -1, image);
        lua_pop(L, 1);
        end->after_mark = image->mark;
    }
}

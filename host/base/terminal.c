// SPDX-License-Identifier: MIT
// Plain writes of whole lines with two control sequences that every terminal of today knows.
// A stream of another maker than stdio (fopencookie) puts the line aside around each write.
#include "host/base/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "host/base/str.h"

// From the cursor to the end of the screen: also what a window made narrower broke off.
#define CLEAR "\r\033[J"
// Drawn over what is there, without wrapping: the window may have become narrower just now.
#define DRAW "\r\033[?7l%s\033[J\033[?7h\r"
#define COLUMNS 80

bool ts_terminal_is_capable(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && *term && !ts_str_is(term, "dumb") && !ts_str_is(term, "unknown");
}

int ts_terminal_columns(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const char *text = getenv("COLUMNS");
    int64_t columns = 0;
    return text && ts_str_to_int(text, &columns) && columns > 0 && columns < 10000 ? (int)columns
                                                                                   : COLUMNS;
}

void ts_terminal_init(struct ts_terminal *terminal, int fd)
{
    *terminal = (struct ts_terminal){.fd = fd};
}

// All of it, or as much as went before the error that errno names.
static size_t write_all(int fd, const char *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t count = write(fd, data + done, len - done);
        if (count > 0) {
            done += (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            break;
        }
    }
    return done;
}

// The line is for looking at: a terminal that takes nothing now, because somebody pressed Ctrl-S,
// must not hold up the run.
static void line_draw(struct ts_terminal *terminal)
{
    char text[sizeof terminal->line + sizeof DRAW];
    struct pollfd ready = {.fd = terminal->fd, .events = POLLOUT};
    if (terminal->is_wanted && !terminal->is_in_line && poll(&ready, 1, 0) == 1 &&
        (ready.revents & POLLOUT)) {
        int len = snprintf(text, sizeof text, DRAW, terminal->line);
        terminal->is_shown = true;
        write_all(terminal->fd, text, len > 0 ? (size_t)len : 0);
    }
}

static void line_clear(struct ts_terminal *terminal)
{
    if (terminal->is_shown) {
        write_all(terminal->fd, CLEAR, strlen(CLEAR));
        terminal->is_shown = false;
    }
}

void ts_terminal_show(struct ts_terminal *terminal, const char *line)
{
    ts_str_copy(terminal->line, sizeof terminal->line, line);
    terminal->is_wanted = terminal->fd >= 0;
    line_draw(terminal);
}

void ts_terminal_abandon(const struct ts_terminal *terminal)
{
    if (terminal->is_shown) {
        write_all(terminal->fd, CLEAR, strlen(CLEAR));
    }
}

void ts_terminal_hide(struct ts_terminal *terminal)
{
    line_clear(terminal);
    terminal->is_wanted = false;
}

static ssize_t on_write(void *cookie, const char *data, size_t len)
{
    const struct ts_terminal_stream *stream = cookie;
    struct ts_terminal *terminal = stream->terminal;
    if (len == 0) {
        return 0;
    }
    line_clear(terminal);
    size_t done = write_all(stream->fd, data, len);
    int saved = errno;
    if (done > 0) {
        terminal->is_in_line = data[done - 1] != '\n';
    }
    line_draw(terminal);
    errno = saved;
    return (ssize_t)done; // less than len is an error, as errno says
}

bool ts_terminal_guard(struct ts_terminal *terminal, FILE **place, int fd, int buffering)
{
    struct ts_terminal_stream *stream = &terminal->streams[terminal->streams[0].place ? 1 : 0];
    *stream = (struct ts_terminal_stream){.terminal = terminal, .plain = *place, .fd = fd};
    fflush(stream->plain);
    stream->guarded = fopencookie(stream, "w", (cookie_io_functions_t){.write = on_write});
    if (!stream->guarded) {
        return false;
    }
    setvbuf(stream->guarded, NULL, buffering, BUFSIZ);
    stream->place = place;
    *place = stream->guarded;
    return true;
}

void ts_terminal_fini(struct ts_terminal *terminal)
{
    ts_terminal_hide(terminal);
    for (size_t i = 0; i < sizeof terminal->streams / sizeof terminal->streams[0]; i++) {
        struct ts_terminal_stream *stream = &terminal->streams[i];
        if (stream->place) {
            *stream->place = stream->plain;
            stream->place = NULL;
            fclose(stream->guarded);
        }
    }
}

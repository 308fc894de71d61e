// SPDX-License-Identifier: MIT
// Which certificates to trust, named to libcurl in the form that it handles fastest.
// With a bundle and a directory both set, as by default, libcurl 7.88 parses the whole bundle anew
// for every connection, 40 ms each; either one alone avoids that.
#ifndef TS_NET_CA_H
#define TS_NET_CA_H

#include <stdbool.h>

#include <curl/curl.h>

#include "host/base/error.h"

struct ts_ca {
    bool is_chosen;
    char *file; // a PEM bundle, parsed once and kept by libcurl
    char *dir;  // a hashed directory, of which a handshake reads only what it needs
};              // neither: libcurl's own default

// Chooses, once, so that plain http pays nothing for it: file when given; what SSL_CERT_FILE and
// SSL_CERT_DIR name; the system's directory when it is hashed and covers the system's bundle, for
// people add to either; that bundle. Starts from a zeroed struct. NOMEM.
enum ts_err ts_ca_choose(struct ts_ca *ca, const char *file);

// Whether dir holds hashed certificates, and as many as the bundle does or more.
bool ts_ca_covers(const char *dir, const char *bundle);

// Accepts a zeroed struct and may run twice.
void ts_ca_fini(struct ts_ca *ca);

// Sets what was chosen on an easy handle; not zero when libcurl refuses.
int ts_ca_apply(const struct ts_ca *ca, CURL *curl);

#endif

// SPDX-License-Identifier: MIT
// Which certificates to trust, named to libcurl in the form that it handles fastest.
// With a bundle and a directory both set, as by default, libcurl 7.88 parses the whole bundle anew
// for every connection; either one alone avoids that.
#ifndef TS_NET_CA_H
#define TS_NET_CA_H

#include <curl/curl.h>

#include "host/base/error.h"

struct ts_ca {
    char *file; // a PEM bundle, parsed once and kept by libcurl; or else
    char *dir;  // a directory hashed by c_rehash, of which a handshake reads only what it needs
};              // neither: libcurl's own default

// Chooses: file when given, SSL_CERT_FILE, SSL_CERT_DIR (as the curl command does), the system's
// hashed directory, the system's bundle. Looks at the directory, reads no certificate. NOMEM.
enum ts_err ts_ca_init(struct ts_ca *ca, const char *file);

// Accepts a zeroed struct and may run twice.
void ts_ca_fini(struct ts_ca *ca);

// Sets it on an easy handle; not zero when libcurl refuses.
int ts_ca_apply(const struct ts_ca *ca, CURL *curl);

#endif

// SPDX-License-Identifier: MIT
// The search for the trust store. A directory counts as hashed when it holds one name made of
// eight hexadecimal digits, a dot and a number, as OpenSSL looks certificates up by.
#include "host/net/ca.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Where the distribution keeps the hashed directory when libcurl was built without one.
#define SYSTEM_DIR "/etc/ssl/certs"

// How long libcurl may go on using a parsed bundle, in seconds.
#define CACHE_SECONDS 86400L

static bool name_is_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] != '\0' &&
           strspn(name + 9, "0123456789") == strlen(name + 9);
}

static bool dir_is_hashed(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        return false;
    }
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(dir))) {
        found = name_is_hash(entry->d_name);
    }
    closedir(dir);
    return found;
}

// Environment variables count only when they are not empty.
static const char *env_or_null(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

enum ts_err ts_ca_init(struct ts_ca *ca, const char *file)
{
    *ca = (struct ts_ca){0};
    const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
    const char *dir = NULL;
    if (!file) {
        file = env_or_null("SSL_CERT_FILE");
    }
    if (!file) {
        dir = env_or_null("SSL_CERT_DIR");
    }
    if (!file && !dir) {
        dir = built->capath ? built->capath : SYSTEM_DIR;
        if (!dir_is_hashed(dir)) {
            dir = NULL;
            file = built->cainfo && access(built->cainfo, R_OK) == 0 ? built->cainfo : NULL;
        }
    }
    ca->file = file ? strdup(file) : NULL;
    ca->dir = dir ? strdup(dir) : NULL;
    if ((file && !ca->file) || (dir && !ca->dir)) {
        ts_ca_fini(ca);
        return TS_ERR_NOMEM;
    }
    return TS_OK;
}

void ts_ca_fini(struct ts_ca *ca)
{
    free(ca->file);
    free(ca->dir);
    *ca = (struct ts_ca){0};
}

int ts_ca_apply(const struct ts_ca *ca, CURL *curl)
{
    if (!ca->file && !ca->dir) {
        return 0;
    }
    int refused = 0;
    refused |= curl_easy_setopt(curl, CURLOPT_CAINFO, ca->file);
    refused |= curl_easy_setopt(curl, CURLOPT_CAPATH, ca->dir);
    refused |= curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, CACHE_SECONDS);
    return refused;
}

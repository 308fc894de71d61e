// SPDX-License-Identifier: MIT
// The search for the trust store: what the environment names, else the faster one of the system's
// two, provided that it is complete.
#include "host/net/ca.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"

// Where the distribution keeps the hashed directory when libcurl was built without one.
#define SYSTEM_DIR "/etc/ssl/certs"

// How long libcurl may go on using a parsed bundle, in seconds.
#define CACHE_SECONDS 86400L

// OpenSSL finds a certificate by eight hexadecimal digits, a dot and a number.
static bool name_is_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] != '\0' &&
           strspn(name + 9, "0123456789") == strlen(name + 9);
}

static size_t dir_count(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        return 0;
    }
    size_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        count += name_is_hash(entry->d_name) ? 1 : 0;
    }
    closedir(dir);
    return count;
}

// Reading a bundle takes a tenth of a millisecond; parsing one takes forty.
static size_t bundle_count(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return 0;
    }
    size_t count = 0;
    char line[256];
    while (fgets(line, sizeof line, file)) {
        count += ts_str_has_prefix(line, "-----BEGIN ") ? 1 : 0;
    }
    fclose(file);
    return count;
}

bool ts_ca_covers(const char *dir, const char *bundle)
{
    size_t count = dir_count(dir);
    return count > 0 && count >= bundle_count(bundle);
}

// Environment variables count only when they are not empty.
static const char *env_or_null(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

static bool is_or_null(const char *value, const char *expected)
{
    return !value || ts_str_is(value, expected);
}

enum ts_err ts_ca_choose(struct ts_ca *ca, const char *file)
{
    if (ca->is_chosen) {
        return TS_OK;
    }
    const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
    const char *system_file = built->cainfo ? built->cainfo : "";
    const char *system_dir = built->capath ? built->capath : SYSTEM_DIR;
    const char *dir = NULL;
    if (!file) {
        file = env_or_null("SSL_CERT_FILE");
        dir = env_or_null("SSL_CERT_DIR");
        // Many environments name the system's own store there, which changes nothing.
        if (is_or_null(file, system_file) && is_or_null(dir, system_dir)) {
            dir = ts_ca_covers(system_dir, system_file) ? system_dir : NULL;
            file = !dir && *system_file ? system_file : NULL;
        }
    }
    ca->file = file ? strdup(file) : NULL;
    ca->dir = dir ? strdup(dir) : NULL;
    if ((file && !ca->file) || (dir && !ca->dir)) {
        ts_ca_fini(ca);
        return TS_ERR_NOMEM;
    }
    ca->is_chosen = true;
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

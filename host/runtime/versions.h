// SPDX-License-Identifier: MIT
// What --version prints: a bug report needs the libraries at run time.
// Each room tells the versions of what only it may include.
#ifndef TS_RUNTIME_VERSIONS_H
#define TS_RUNTIME_VERSIONS_H

// Prints tshost's version and those of its libraries, a line each, to standard output.
void ts_versions_print(void);

#endif
